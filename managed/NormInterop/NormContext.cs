using System.Numerics;

namespace NormInterop;

/// <summary>
/// What one forward pass leaves for its backward pass: shape, statistics, and, for the forms that take a <c>Tensor</c>, the input.
/// Make one for each forward that is pending at the same time: when a module is used twice before its backward (weight sharing),
/// or from several threads. A context can be reused for the next forward once its backward has run, and then allocates nothing
/// as long as the number of channels does not grow. It is not thread-safe.
/// </summary>
/// <typeparam name="T">Type of the parameters and statistics.</typeparam>
public sealed class NormContext<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private nint[] _lengths = [];
    private int _rank;
    private double[] _mean = [];
    private double[] _invstd = [];
    private T[] _runningMean = [];
    private T[] _runningVar = [];

    /// <summary>Whether a forward has filled this context and no backward has used it yet.</summary>
    public bool IsPending => Statistics != StatisticsSource.None;

    internal StatisticsSource Statistics { get; private set; }

    /// <summary>The module that ran the forward; null for a functional call.</summary>
    internal object? Owner { get; set; }

    /// <summary>The input as Backward will read it: a Tensor of the data type; null in the span forms, where the caller keeps it.</summary>
    internal object? Input { get; set; }

    internal Type? DataType { get; private set; }

    internal int Channels { get; private set; }

    internal double Eps { get; private set; }

    internal ReadOnlySpan<nint> Lengths => _lengths.AsSpan(0, _rank);

    internal Span<double> Mean => _mean.AsSpan(0, Channels);

    internal Span<double> Invstd => _invstd.AsSpan(0, Channels);

    internal Span<T> RunningMean => _runningMean.AsSpan(0, Channels);

    internal Span<T> RunningVar => _runningVar.AsSpan(0, Channels);

    /// <summary>Makes room and keeps what is there: until <see cref="Complete"/>, a forward can still fail.</summary>
    internal void Reserve(int channels, StatisticsSource source)
    {
        if (source == StatisticsSource.Batch)
        {
            Grow(ref _mean, channels);
            Grow(ref _invstd, channels);
        }
        else
        {
            Grow(ref _runningMean, channels);
            Grow(ref _runningVar, channels);
        }
    }

    /// <summary>Room that <see cref="Reserve"/> made for batch statistics.</summary>
    internal Span<double> MeanRoom(int channels) => _mean.AsSpan(0, channels);

    internal Span<double> InvstdRoom(int channels) => _invstd.AsSpan(0, channels);

    /// <summary>Copies the running statistics, which the next training forward would change under a pending backward.</summary>
    internal void KeepRunning(ReadOnlySpan<T> mean, ReadOnlySpan<T> var)
    {
        mean.CopyTo(_runningMean);
        var.CopyTo(_runningVar);
    }

    /// <summary>Marks the context as filled by a forward that succeeded.</summary>
    internal void Complete(StatisticsSource source, Type dataType, ReadOnlySpan<nint> lengths, double eps)
    {
        Clear();
        Grow(ref _lengths, lengths.Length);
        lengths.CopyTo(_lengths);
        _rank = lengths.Length;
        Channels = (int)lengths[1];
        DataType = dataType;
        Eps = eps;
        Statistics = source;
    }

    /// <summary>Forgets the forward; keeps the memory.</summary>
    internal void Clear()
    {
        Statistics = StatisticsSource.None;
        Owner = null;
        Input = null;
    }

    private static void Grow<TElement>(ref TElement[] array, int length)
    {
        if (array.Length < length)
            Array.Resize(ref array, length);
    }
}

/// <summary>Where the statistics of a forward came from: they are constants in its backward, or functions of the input.</summary>
internal enum StatisticsSource
{
    None,
    Batch,
    Running,
}
