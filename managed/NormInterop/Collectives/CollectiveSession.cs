using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NormInterop.Collectives;

/// <summary>
/// The operations of a collective over a transport: each block carries a header, and values are looked at when the headers of all ranks
/// are equal. Allocates nothing once its memory has grown to the largest operation.
/// </summary>
internal sealed class CollectiveSession(ICollectiveTransport transport, TimeSpan limit) : IDisposable
{
    /// <summary>The limit of a group that is given none: longer than working ranks are apart, and short enough to wait for.</summary>
    internal static readonly TimeSpan UsualLimit = TimeSpan.FromMinutes(5);

    /// <summary>
    /// From so many bytes on, a sum is not taken of all ranks' values by every rank: each sums a part for all. In between every rank has
    /// to send and receive P * n bytes, and then 2 * n.
    /// </summary>
    private const int LargeSum = 64 * 1024;

    /// <summary>The most bytes of one operation of a sum; more are summed piece by piece.</summary>
    private const int SumPiece = 64 * 1024 * 1024;

    private byte[] _message = new byte[CollectiveHeader.Bytes];
    private long[] _bounds = [];
    private long _sequence;
    private int _busy;
    private bool _disposed;

    internal int Rank => transport.Rank;

    internal int Size => transport.Size;

    internal TimeSpan Limit => limit;

    internal CollectiveTraffic Traffic { get; private set; }

    internal static TimeSpan CheckLimit(TimeSpan? timeLimit)
    {
        TimeSpan limit = timeLimit ?? UsualLimit;
        return limit > TimeSpan.Zero && limit <= TimeSpan.FromDays(24)
            ? limit
            : throw new ArgumentOutOfRangeException(
                nameof(timeLimit), timeLimit, "Expected a time limit above zero, of at most 24 days.");
    }

    internal void AllGather<T>(ReadOnlySpan<T> values, Span<T> gathered, string operation, CollectiveKind kind = CollectiveKind.AllGather)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(operation);
        if (gathered.Length != (long)values.Length * Size)
        {
            throw new ArgumentException(
                $"gathered has {gathered.Length} elements; expected {(long)values.Length * Size}: {values.Length} values for each of "
                + $"{Size} ranks.", nameof(gathered));
        }

        if (CollectiveHeader.Bytes + ((long)values.Length * Unsafe.SizeOf<T>()) > transport.MostBytes)
        {
            throw new ArgumentException(
                $"values has {values.Length} elements; expected at most "
                + $"{(transport.MostBytes - CollectiveHeader.Bytes) / Unsafe.SizeOf<T>()} for {Size} ranks.", nameof(values));
        }

        using Turn turn = Enter();
        if (Size == 1)
        {
            values.CopyTo(gathered);
            return;
        }

        Gather(kind, Unsafe.SizeOf<T>(), values.Length, MemoryMarshal.AsBytes(values), operation);
        for (int r = 0; r < Size; r++)
            Values<T>(r, CollectiveHeader.Bytes).CopyTo(gathered.Slice(r * values.Length, values.Length));
    }

    internal void AllReduce<T>(Span<T> values, string operation)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(operation);
        using Turn turn = Enter();
        if (Size == 1)
            return;
        int piece = SumPiece / Unsafe.SizeOf<T>();
        do
        {
            Span<T> part = values[..Math.Min(values.Length, piece)];
            if (Size == 2 || part.Length * Unsafe.SizeOf<T>() < LargeSum)
                Sum(part, operation);
            else
                SumInParts(part, operation);
            values = values[part.Length..];
        }
        while (!values.IsEmpty);
    }

    internal void Barrier(string operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        using Turn turn = Enter();
        if (Size > 1)
            Gather(CollectiveKind.Barrier, 0, 0, [], operation);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        transport.Dispose();
    }

    private void Sum<T>(Span<T> values, string operation)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        Gather(CollectiveKind.AllReduce, Unsafe.SizeOf<T>(), values.Length, MemoryMarshal.AsBytes(values), operation);
        SumBlocks(values, CollectiveHeader.Bytes);
    }

    /// <summary>Three messages: whether all want the same; every rank's part of the values to it; and all sums to all.</summary>
    private void SumInParts<T>(Span<T> values, string operation)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        Gather(CollectiveKind.AllReduce, Unsafe.SizeOf<T>(), values.Length, [], operation);
        if (_bounds.Length != Size + 1)
            _bounds = new long[Size + 1];
        for (int r = 0; r <= Size; r++)
            _bounds[r] = (long)values.Length * r / Size * Unsafe.SizeOf<T>();

        Span<byte> bytes = MemoryMarshal.AsBytes(values);
        Check(transport.Exchange(bytes, _bounds, limit), operation);
        Count(0, bytes.Length);

        // Into the memory of the message: the values stay as they are until nothing can fail any more.
        int mine = (int)(_bounds[Rank + 1] - _bounds[Rank]);
        Grow(mine);
        SumBlocks(MemoryMarshal.Cast<byte, T>(_message.AsSpan(0, mine)), 0);
        Check(transport.Gather(_message.AsSpan(0, mine), limit), operation);
        Count(0, mine);
        for (int r = 0; r < Size; r++)
            transport.Block(r).CopyTo(bytes[(int)_bounds[r]..(int)_bounds[r + 1]]);
    }

    /// <summary>Sums what came from the ranks, in their order, in double.</summary>
    private void SumBlocks<T>(Span<T> sums, int start)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        const int chunk = 512;
        if (typeof(T) == typeof(double))
        {
            SumDoubles(MemoryMarshal.Cast<T, double>(sums), start, chunk);
            return;
        }

        Span<double> sum = stackalloc double[chunk], next = stackalloc double[chunk];
        for (int i = 0; i < sums.Length; i += chunk)
        {
            int length = Math.Min(chunk, sums.Length - i);
            TensorPrimitives.ConvertTruncating(Values<T>(0, start).Slice(i, length), sum);
            for (int r = 1; r < Size; r++)
            {
                TensorPrimitives.ConvertTruncating(Values<T>(r, start).Slice(i, length), next);
                TensorPrimitives.Add(sum[..length], next[..length], sum);
            }

            TensorPrimitives.ConvertTruncating<double, T>(sum[..length], sums[i..]);
        }
    }

    /// <summary>As above: doubles are summed where they come to lie, and from where they are.</summary>
    private void SumDoubles(Span<double> sums, int start, int chunk)
    {
        for (int i = 0; i < sums.Length; i += chunk)
        {
            Span<double> sum = sums.Slice(i, Math.Min(chunk, sums.Length - i));
            Values<double>(0, start).Slice(i, sum.Length).CopyTo(sum);
            for (int r = 1; r < Size; r++)
                TensorPrimitives.Add(sum, Values<double>(r, start).Slice(i, sum.Length), sum);
        }
    }

    private ReadOnlySpan<T> Values<T>(int rank, int start)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(transport.Block(rank)[start..]);

    /// <summary>Brings a header and values to every rank, and sees to it that all headers are equal.</summary>
    private void Gather(CollectiveKind kind, int valueBytes, long count, ReadOnlySpan<byte> values, string operation)
    {
        int bytes = CollectiveHeader.Bytes + values.Length;
        Grow(bytes);
        Span<byte> message = _message.AsSpan(0, bytes);
        CollectiveHeader.Write(message[..CollectiveHeader.Bytes], kind, valueBytes, count, ++_sequence, operation);
        values.CopyTo(message[CollectiveHeader.Bytes..]);
        Check(transport.Gather(message, limit), operation);
        Count(count, bytes);
        ReadOnlySpan<byte> header = message[..CollectiveHeader.Bytes];
        for (int r = 0; r < Size; r++)
        {
            ReadOnlySpan<byte> block = transport.Block(r);
            if (block.Length != bytes || !block[..CollectiveHeader.Bytes].SequenceEqual(header))
                throw CollectiveErrors.Mismatch(transport, operation, _sequence);
        }
    }

    private void Check(CollectiveFault? fault, string operation)
    {
        if (fault is not null)
            throw CollectiveErrors.Of(fault, transport, limit, operation, _sequence);
    }

    private void Count(long values, int bytes) => Traffic += new CollectiveTraffic(1, values, bytes);

    private void Grow(int bytes)
    {
        if (_message.Length < bytes)
            _message = new byte[Math.Max(bytes, 2 * _message.Length)];
    }

    private Turn Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(ICollective));
        return Interlocked.Exchange(ref _busy, 1) == 0
            ? new Turn(this)
            : throw new InvalidOperationException(
                "Two threads use one rank of a collective at the same time; expected one thread, or a group for each.");
    }

    /// <summary>While one exists, an operation is in progress.</summary>
    private readonly ref struct Turn(CollectiveSession session)
    {
        public void Dispose() => Volatile.Write(ref session._busy, 0);
    }
}
