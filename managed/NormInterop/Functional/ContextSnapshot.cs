namespace NormInterop.Functional;

/// <summary>
/// What a backward pass reads of its context: kernel, shape and statistics that belong together. A context is not for two threads, but
/// one that is used so must not lead a kernel beyond anybody's memory: what was read is checked, and what was checked is used.
/// </summary>
internal readonly ref struct ContextSnapshot<T>
{
    internal NormKernel Kernel { get; init; }

    internal NormGeometry Geometry { get; init; }

    internal double Eps { get; init; }

    internal Span<double> Mean { get; init; }

    internal Span<double> Invstd { get; init; }

    internal Span<T> RunningMean { get; init; }

    internal Span<T> RunningVar { get; init; }

    internal Activation Activation { get; init; }

    /// <summary>With <see cref="NormKernel.SyncStatistics"/>: who the forward was synchronized with; null otherwise.</summary>
    internal BatchSync? Sync { get; init; }

    /// <summary>With <see cref="NormKernel.SyncStatistics"/>: values per channel that the statistics are of, over all ranks.</summary>
    internal double Count { get; init; }

    /// <summary>Throws unless all parts are of one forward, of a tensor of these lengths.</summary>
    internal void Check(ReadOnlySpan<nint> lengths, in GradientArguments<T> arguments)
    {
        NormGeometry geometry = Geometry;
        nint elements = 1;
        foreach (nint length in lengths)
            elements *= length;
        nint channels = geometry.Channels;
        if ((geometry.Batch != 0 && !IsProduct(elements, geometry.Batch, channels, geometry.Spatial))
            || geometry.Groups <= 0 || geometry.FormatAxis < 0
            || !Fits(arguments.Weight.Length, channels) || !Fits(arguments.Bias.Length, channels)
            || !Fits(arguments.WeightGradient.Length, channels) || !Fits(arguments.BiasGradient.Length, channels)
            || !HoldsStatistics(geometry))
        {
            throw Changed();
        }
    }

    /// <summary>Parameters and their gradients have an element for each channel, or are absent.</summary>
    private static bool Fits(int parameters, nint channels) => parameters == 0 || parameters == channels;

    /// <summary>Whether three lengths make so many elements. They may be of different forwards, and their product too large.</summary>
    private static bool IsProduct(nint elements, nint batch, nint channels, nint spatial)
    {
        bool fits = Math.BigMul((ulong)batch, (ulong)channels, out ulong samples) == 0;
        return fits && Math.BigMul(samples, (ulong)spatial, out ulong all) == 0 && all == (ulong)elements;
    }

    internal static InvalidOperationException Changed() =>
        new("The context changed during Backward; expected that no other thread uses it meanwhile.");

    private bool HoldsStatistics(in NormGeometry geometry)
    {
        if (Kernel == NormKernel.None)
            return false;
        nint count = Math.Max(NormKernels.SavedStatistics(Kernel, geometry), 1);
        return Kernel switch
        {
            NormKernel.RunningStatistics => RunningMean.Length >= count && RunningVar.Length >= count,
            NormKernel.RowMeanSquare => Invstd.Length >= count,
            NormKernel.SyncStatistics when Sync?.Channels != geometry.Channels => false,
            _ => Mean.Length >= count && Invstd.Length >= count,
        };
    }
}
