namespace NormInterop.Functional;

/// <summary>What a backward pass takes beside its data and its context. Empty spans stand for what is absent or not wanted.</summary>
internal readonly unsafe ref struct GradientArguments<T>
{
    internal ReadOnlySpan<T> Weight { get; init; }

    /// <summary>Read only where the output is normalized once more for the derivative of its activation.</summary>
    internal ReadOnlySpan<T> Bias { get; init; }

    internal Span<T> WeightGradient { get; init; }

    internal Span<T> BiasGradient { get; init; }

    internal int MaxThreads { get; init; }

    /// <summary>The mask of a forward with a residual, pinned: at least a bit for each element of the input. Otherwise null.</summary>
    internal byte* Mask { get; init; }

    /// <summary>With a mask: the format that its bits are in the order of, in which the backward computes as well.</summary>
    internal MemoryFormat Format { get; init; }

    /// <summary>Receives the gradient of the residual, pinned: as many elements as the input, in the format. Null if not wanted.</summary>
    internal void* ResidualGradient { get; init; }
}
