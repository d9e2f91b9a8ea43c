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

    /// <summary>Messages of this group that all ranks have sent.</summary>
    private long _sequence;

    /// <summary>Those of the operation in progress, and when it has to be over.</summary>
    private int _legs;
    private long _end;
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

        try
        {
            Gather(new(kind, Unsafe.SizeOf<T>(), values.Length, operation), MemoryMarshal.AsBytes(values));
            for (int r = 0; r < Size; r++)
                Values<T>(r, CollectiveHeader.Bytes).CopyTo(gathered.Slice(r * values.Length, values.Length));
        }
        catch (Exception e) when (LeavesUnlessInStep(e))
        {
        }
    }

    internal void AllReduce<T>(Span<T> values, string operation)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(operation);
        using Turn turn = Enter();
        if (Size == 1)
            return;
        CollectiveCall call = new(CollectiveKind.AllReduce, Unsafe.SizeOf<T>(), values.Length, operation);
        int piece = SumPiece / Unsafe.SizeOf<T>();
        try
        {
            if (values.Length <= piece)
            {
                Sum(values, values, call);
                return;
            }

            // Nothing of the caller's is written before nothing can fail any more.
            T[] sums = new T[values.Length];
            for (int i = 0; i < sums.Length; i += piece)
            {
                int length = Math.Min(piece, sums.Length - i);
                Sum(values.Slice(i, length), sums.AsSpan(i, length), call with { Offset = i });
            }

            sums.CopyTo(values);
        }
        catch (Exception e) when (LeavesUnlessInStep(e))
        {
        }
    }

    internal void Barrier(string operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        using Turn turn = Enter();
        if (Size == 1)
            return;
        try
        {
            Gather(new(CollectiveKind.Barrier, 0, 0, operation), []);
        }
        catch (Exception e) when (LeavesUnlessInStep(e))
        {
        }
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        transport.Dispose();
    }

    private void Sum<T>(ReadOnlySpan<T> values, Span<T> sums, in CollectiveCall call)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        if (Size > 2 && values.Length * Unsafe.SizeOf<T>() >= LargeSum)
        {
            SumInParts(values, sums, call);
            return;
        }

        Gather(call, MemoryMarshal.AsBytes(values));
        SumBlocks(sums, CollectiveHeader.Bytes);
    }

    /// <summary>Three messages: whether all want the same; every rank's part of the values to it; and all sums to all.</summary>
    private void SumInParts<T>(ReadOnlySpan<T> values, Span<T> sums, in CollectiveCall call)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        Gather(call, []);
        if (_bounds.Length != Size + 1)
            _bounds = new long[Size + 1];
        for (int r = 0; r <= Size; r++)
            _bounds[r] = (long)values.Length * r / Size * Unsafe.SizeOf<T>();

        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        Check(transport.Exchange(bytes, _bounds, Remaining), call.Name);
        Count(0, bytes.Length);
        for (int r = 0; r < Size; r++)
        {
            if (transport.Block(r).Length != PartLength(Rank))
                throw CollectiveErrors.OutOfStep(transport, r, limit, call.Name, _sequence);
        }

        const int header = CollectiveHeader.Bytes;
        Grow(header + PartLength(Rank));
        SumBlocks(MemoryMarshal.Cast<byte, T>(_message.AsSpan(header, PartLength(Rank))), 0);
        Gather(call with { Kind = CollectiveKind.Sums }, _message.AsSpan(header, PartLength(Rank)), parts: true);
        for (int r = 0; r < Size; r++)
            transport.Block(r)[header..].CopyTo(MemoryMarshal.AsBytes(sums)[(int)_bounds[r]..(int)_bounds[r + 1]]);
    }

    private int PartLength(int rank) => (int)(_bounds[rank + 1] - _bounds[rank]);

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

    /// <summary>
    /// Brings a header and values to every rank, and sees to it that all headers are equal; and all lengths, or each that of its part.
    /// </summary>
    private void Gather(in CollectiveCall call, ReadOnlySpan<byte> values, bool parts = false)
    {
        int bytes = CollectiveHeader.Bytes + values.Length;
        Grow(bytes);
        Span<byte> message = _message.AsSpan(0, bytes);
        values.CopyTo(message[CollectiveHeader.Bytes..]);
        CollectiveHeader.Write(message[..CollectiveHeader.Bytes], call, _sequence + 1);
        Check(transport.Gather(message, Remaining), call.Name);
        Count(parts || call.Kind == CollectiveKind.Split ? 0 : call.Count, bytes);
        ReadOnlySpan<byte> header = message[..CollectiveHeader.Bytes];
        for (int r = 0; r < Size; r++)
        {
            ReadOnlySpan<byte> block = transport.Block(r);
            int expected = CollectiveHeader.Bytes + (parts ? PartLength(r) : values.Length);
            if (block.Length != expected || !block[..CollectiveHeader.Bytes].SequenceEqual(header))
                throw CollectiveErrors.Mismatch(transport, call.Name, _sequence);
        }
    }

    private void Check(CollectiveFault? fault, string operation)
    {
        if (fault is not null)
            throw CollectiveErrors.Of(fault, transport, limit, operation, _sequence + 1);
    }

    /// <summary>One more message that all ranks have sent.</summary>
    private void Count(long values, int bytes)
    {
        _sequence++;
        _legs++;
        Traffic += new CollectiveTraffic(1, values, bytes);
    }

    /// <summary>
    /// A rank that leaves an operation in the middle, and goes on, would take the messages of one for those of another. It leaves the group
    /// then, unless it is in step: all ranks have found together that they differ, or this one was refused before it began; or the group
    /// has failed anyway. Never catches.
    /// </summary>
    private bool LeavesUnlessInStep(Exception e)
    {
        bool inStep = e switch
        {
            CollectiveException { Failure: CollectiveFailure.Mismatch } => _legs <= 1,
            CollectiveException => true,
            ArgumentException or InvalidOperationException => _legs == 0,
            _ => false,
        };
        if (!inStep)
            transport.Dispose();
        return false;
    }

    private TimeSpan Remaining => TimeSpan.FromMilliseconds(Math.Max(1, _end - Environment.TickCount64));

    private void Grow(int bytes)
    {
        if (_message.Length < bytes)
            _message = new byte[Math.Max(bytes, 2 * _message.Length)];
    }

    private Turn Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(ICollective));
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException(
                "Two threads use one rank of a collective at the same time; expected one thread, or a group for each.");
        }

        _legs = 0;
        _end = Environment.TickCount64 + (long)Math.Ceiling(limit.TotalMilliseconds);
        return new Turn(this);
    }

    /// <summary>While one exists, an operation is in progress.</summary>
    private readonly ref struct Turn(CollectiveSession session)
    {
        public void Dispose() => Volatile.Write(ref session._busy, 0);
    }
}
