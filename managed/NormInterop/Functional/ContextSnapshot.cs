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

    /// <summary>Throws unless all parts are of one forward, of a tensor of these lengths.</summary>
    internal void Check(ReadOnlySpan<nint> lengths, int weights, int weightGradients, int biasGradients)
    {
        NormGeometry geometry = Geometry;
        Int128 elements = 1;
        foreach (nint length in lengths)
            elements *= length;
        bool shape = (Int128)geometry.Batch * geometry.Channels * geometry.Spatial == (geometry.Batch == 0 ? 0 : elements)
            && geometry.Groups > 0 && geometry.FormatAxis >= 0;
        if (!shape || !Fits(weights) || !Fits(weightGradients) || !Fits(biasGradients) || !HoldsStatistics(geometry))
            throw new InvalidOperationException("The context changed during Backward; expected that no other thread uses it meanwhile.");

        bool Fits(int parameters) => parameters == 0 || parameters == geometry.Channels;
    }

    private bool HoldsStatistics(in NormGeometry geometry)
    {
        if (Kernel == NormKernel.None)
            return false;
        nint count = Math.Max(NormKernels.SavedStatistics(Kernel, geometry), 1);
        return Kernel switch
        {
            NormKernel.RunningStatistics => RunningMean.Length >= count && RunningVar.Length >= count,
            NormKernel.RowMeanSquare => Invstd.Length >= count,
            _ => Mean.Length >= count && Invstd.Length >= count,
        };
    }
}
