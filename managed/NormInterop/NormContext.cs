using System.Numerics;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// What one forward pass leaves for its backward pass: shape, statistics, and, for the forms that take a <c>Tensor</c>, the input.
/// Make one for each forward that is pending at the same time: when a module is used twice before its backward (weight sharing),
/// or from several threads. A context can be reused for the next forward once its backward has run, and then allocates nothing
/// as long as the number of statistics does not grow: C for BatchNorm, N * C for InstanceNorm, N * G for GroupNorm, and the number of
/// rows for LayerNorm and RMSNorm; and with a residual the number of elements, for each of which it keeps a bit. It is not thread-safe.
/// </summary>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class NormContext<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private nint[] _lengths = [];
    private int _rank;
    private double[] _mean = [];
    private double[] _invstd = [];
    private T[] _runningMean = [];
    private T[] _runningVar = [];
    private byte[] _mask = [];

    /// <summary>Whether a forward has filled this context and no backward has used it yet.</summary>
    public bool IsPending => Kernel != NormKernel.None;

    internal NormKernel Kernel { get; private set; }

    /// <summary>The module that ran the forward; for a functional call, the name of the function.</summary>
    internal object? Owner { get; set; }

    /// <summary>The input as Backward will read it: a Tensor of the data type; null in the span forms, where the caller keeps it.</summary>
    internal object? Input { get; set; }

    internal Type? DataType { get; private set; }

    internal NormGeometry Geometry { get; private set; }

    internal double Eps { get; private set; }

    /// <summary>What followed the normalization.</summary>
    internal Activation Activation { get; private set; }

    /// <summary>Who the forward was synchronized with; null where it was not.</summary>
    private BatchSync? Sync { get; set; }

    /// <summary>Values per channel that synchronized statistics are of.</summary>
    private double Count { get; set; }

    /// <summary>Whether the forward had a residual, and left a mask.</summary>
    internal bool HasMask { get; private set; }

    /// <summary>The format that the forward computed in. The bits of the mask are in its order.</summary>
    internal MemoryFormat Format { get; private set; }

    /// <summary>The mask, and what room there is behind it.</summary>
    internal ReadOnlySpan<byte> Mask => _mask;

    internal ReadOnlySpan<nint> Lengths => _lengths.AsSpan(0, _rank);

    /// <summary>What Backward reads, taken once.</summary>
    internal ContextSnapshot<T> Snapshot()
    {
        NormKernel kernel = Kernel;
        return new()
        {
            Kernel = kernel,
            Geometry = Geometry,
            Eps = Eps,
            Activation = Activation,
            Sync = Sync,
            Count = Count,
            Mean = HasMean(kernel) ? _mean : default(Span<double>),
            Invstd = UsesRunning(kernel) ? default(Span<double>) : _invstd,
            RunningMean = UsesRunning(kernel) ? _runningMean : default(Span<T>),
            RunningVar = UsesRunning(kernel) ? _runningVar : default(Span<T>),
        };
    }

    /// <summary>
    /// Makes room for statistics and keeps those that are there: until <see cref="Complete"/>, a forward can still fail. The spans are
    /// for statistics of the input; empty where the kernel has none.
    /// </summary>
    internal void Reserve(NormKernel kernel, int count, out Span<double> mean, out Span<double> invstd)
    {
        mean = invstd = default;
        if (UsesRunning(kernel))
        {
            Grow(ref _runningMean, count);
            Grow(ref _runningVar, count);
            return;
        }

        Grow(ref _invstd, count);
        invstd = _invstd.AsSpan(0, count);
        if (HasMean(kernel))
        {
            Grow(ref _mean, count);
            mean = _mean.AsSpan(0, count);
        }
    }

    /// <summary>Makes room for a mask. As in <see cref="Reserve"/>, the one that is there stays until a forward has succeeded.</summary>
    internal Span<byte> ReserveMask(int bytes)
    {
        Grow(ref _mask, bytes);
        return _mask.AsSpan(0, bytes);
    }

    /// <summary>Copies the running statistics, which the next training forward would change under a pending backward.</summary>
    internal void KeepRunning(ReadOnlySpan<T> mean, ReadOnlySpan<T> var)
    {
        mean.CopyTo(_runningMean);
        var.CopyTo(_runningVar);
    }

    /// <summary>Marks the context as filled by a forward that succeeded.</summary>
    internal unsafe void Complete(
        in NormArguments<T> arguments, Type dataType, ReadOnlySpan<nint> lengths, in NormGeometry geometry, MemoryFormat format)
    {
        Kernel = NormKernel.None;
        Input = null;
        Grow(ref _lengths, lengths.Length);
        for (int i = 0; i < lengths.Length; i++)
            _lengths[i] = lengths[i];
        _rank = lengths.Length;
        Geometry = geometry;
        DataType = dataType;
        Eps = arguments.Eps;
        Activation = arguments.Activation;
        Sync = arguments.Sync;
        Count = arguments.Sync?.Count ?? 0;
        HasMask = arguments.Mask is not null;
        Format = format;
        Kernel = arguments.Kernel;
    }

    /// <summary>Forgets the forward; keeps the memory.</summary>
    internal void Clear()
    {
        Kernel = NormKernel.None;
        Owner = null;
        Input = null;
    }

    private static bool UsesRunning(NormKernel kernel) => kernel is NormKernel.RunningStatistics;

    private static bool HasMean(NormKernel kernel) => !UsesRunning(kernel) && kernel is not NormKernel.RowMeanSquare;

    private static void Grow<TElement>(ref TElement[] array, int length)
    {
        if (array.Length < length)
            Array.Resize(ref array, length);
    }
}
