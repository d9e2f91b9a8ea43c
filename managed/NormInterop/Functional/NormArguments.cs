namespace NormInterop.Functional;

/// <summary>What a normalization takes beside its data. Empty spans stand for what is absent.</summary>
internal readonly unsafe ref struct NormArguments<T>
{
    internal required NormKernel Kernel { get; init; }

    internal ReadOnlySpan<T> Weight { get; init; }

    internal ReadOnlySpan<T> Bias { get; init; }

    /// <summary>C elements: constants of <see cref="NormKernel.RunningStatistics"/>, updated by the kernels that take statistics.</summary>
    internal Span<T> RunningMean { get; init; }

    internal Span<T> RunningVar { get; init; }

    /// <summary>
    /// C elements, with <see cref="NormKernel.RunningStatistics"/>: the mean and 1 / sqrt(var + eps) that a forward uses where T is too
    /// coarse for them. Empty otherwise.
    /// </summary>
    internal ReadOnlySpan<double> ExactMean { get; init; }

    internal ReadOnlySpan<double> ExactInvstd { get; init; }

    /// <summary>With <see cref="NormKernel.SyncStatistics"/>: what merges the statistics of all ranks; null otherwise.</summary>
    internal BatchSync? Sync { get; init; }

    /// <summary>Weight of the new batch in the running buffers; for Caffe, the fraction that the old ones keep.</summary>
    internal double Momentum { get; init; }

    internal double Eps { get; init; }

    internal int MaxThreads { get; init; }

    /// <summary>What follows the normalization, with the kernels that can.</summary>
    internal Activation Activation { get; init; }

    /// <summary>What is added before the activation, pinned: as many elements as the input, in the format that it is computed in.</summary>
    internal void* Residual { get; init; }

    /// <summary>Receives the mask of a forward with a residual, pinned; null where no backward will ask for it.</summary>
    internal byte* Mask { get; init; }
}
