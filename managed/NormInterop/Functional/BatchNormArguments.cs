namespace NormInterop.Functional;

/// <summary>What a batch normalization takes beside its data. Empty spans stand for what is absent.</summary>
internal readonly ref struct BatchNormArguments<T>
{
    internal ReadOnlySpan<T> Weight { get; init; }

    internal ReadOnlySpan<T> Bias { get; init; }

    /// <summary>Updated when the batch's statistics are used, read otherwise.</summary>
    internal Span<T> RunningMean { get; init; }

    internal Span<T> RunningVar { get; init; }

    internal StatisticsSource Statistics { get; init; }

    internal double Momentum { get; init; }

    internal double Eps { get; init; }

    internal int MaxThreads { get; init; }
}
