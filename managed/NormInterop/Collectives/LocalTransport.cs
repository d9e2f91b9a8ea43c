namespace NormInterop.Collectives;

/// <summary>Ranks that are threads of one process: each copies its block into memory that the others read.</summary>
internal sealed class LocalTransport(LocalTransport.Hub hub, int rank) : ICollectiveTransport
{
    public int Rank => rank;

    public int Size => hub.Size;

    public int MostBytes => Array.MaxLength;

    // The block of the operation, or the part of the data that is for this rank.
    private long _sequence;
    private long _start, _end = -1;

    public CollectiveFault? Gather(ReadOnlySpan<byte> block, TimeSpan limit)
    {
        _end = -1;
        return hub.Meet(rank, ++_sequence, block, exchange: false, limit);
    }

    public CollectiveFault? Exchange(ReadOnlySpan<byte> data, ReadOnlySpan<long> bounds, TimeSpan limit)
    {
        (_start, _end) = (bounds[rank], bounds[rank + 1]);
        return hub.Meet(rank, ++_sequence, data, exchange: true, limit);
    }

    public ReadOnlySpan<byte> Block(int rank)
    {
        ReadOnlySpan<byte> block = hub.Block(rank, _sequence);
        return _end < 0 ? block : block[(int)Math.Min(_start, block.Length)..(int)Math.Min(_end, block.Length)];
    }

    public void Dispose() => hub.Leave(rank, _sequence + 1);

    /// <summary>
    /// Where the ranks of a group meet. Each has two blocks, for even operations and odd ones: nobody can be in the operation after next
    /// while another one still reads the blocks of this.
    /// </summary>
    internal sealed class Hub(int size)
    {
        private readonly object _gate = new();
        private readonly Slot[] _even = new Slot[size], _odd = new Slot[size];
        private readonly long[] _arrived = new long[size];
        private readonly long[] _absentFrom = [.. Enumerable.Repeat(long.MaxValue, size)];
        private CollectiveFault? _fault;

        internal int Size => size;

        internal CollectiveFault? Meet(int rank, long sequence, ReadOnlySpan<byte> block, bool exchange, TimeSpan limit)
        {
            lock (_gate)
            {
                if (_fault is not null)
                    return _fault;
                Keep(ref Slots(sequence)[rank], block, exchange);
                _arrived[rank] = sequence;
                Monitor.PulseAll(_gate);
                long deadline = Environment.TickCount64 + (long)Math.Ceiling(limit.TotalMilliseconds);
                for (; ; )
                {
                    if (All(_arrived, sequence))
                        return AreOf(Slots(sequence), exchange) ? null : FailApart(rank, sequence, exchange);
                    if (_fault is not null)
                        return _fault;
                    if (!All(_absentFrom, sequence + 1))
                        return Fail(rank, RankPresence.Left, _absentFrom, sequence + 1);
                    long left = deadline - Environment.TickCount64;
                    if (left <= 0)
                        return Fail(rank, RankPresence.Missing, _arrived, sequence);
                    Monitor.Wait(_gate, (int)Math.Min(left, int.MaxValue));
                }
            }
        }

        internal ReadOnlySpan<byte> Block(int rank, long sequence)
        {
            ref readonly Slot slot = ref Slots(sequence)[rank];
            return slot.Memory.AsSpan(0, slot.Length);
        }

        internal void Leave(int rank, long sequence)
        {
            lock (_gate)
            {
                _absentFrom[rank] = sequence;
                Monitor.PulseAll(_gate);
            }
        }

        /// <summary>Whether the numbers of all ranks are at least this one.</summary>
        private static bool All(ReadOnlySpan<long> numbers, long least)
        {
            foreach (long number in numbers)
            {
                if (number < least)
                    return false;
            }

            return true;
        }

        private CollectiveFault Fail(int finder, RankPresence presence, long[] numbers, long least)
        {
            _fault = new CollectiveFault([.. numbers.Select(n => n < least ? presence : RankPresence.Present)], finder, "");
            Monitor.PulseAll(_gate);
            return _fault;
        }

        /// <summary>Ranks that bring a block where the others exchange parts, or the reverse, are not in the same operation.</summary>
        private CollectiveFault FailApart(int finder, long sequence, bool exchange)
        {
            long[] alike = Array.ConvertAll(Slots(sequence), s => s.IsExchange == exchange ? 1L : 0);
            return Fail(finder, RankPresence.Silent, alike, 1);
        }

        private static bool AreOf(Slot[] slots, bool exchange)
        {
            foreach (ref readonly Slot slot in slots.AsSpan())
            {
                if (slot.IsExchange != exchange)
                    return false;
            }

            return true;
        }

        private Slot[] Slots(long sequence) => sequence % 2 == 0 ? _even : _odd;

        private static void Keep(ref Slot slot, ReadOnlySpan<byte> block, bool exchange)
        {
            if (slot.Memory is null || slot.Memory.Length < block.Length)
                slot.Memory = GC.AllocateUninitializedArray<byte>(Math.Max(block.Length, 2 * (slot.Memory?.Length ?? 0)));
            block.CopyTo(slot.Memory);
            slot.Length = block.Length;
            slot.IsExchange = exchange;
        }

        /// <summary>What a rank has brought.</summary>
        private struct Slot
        {
            internal byte[]? Memory;
            internal int Length;
            internal bool IsExchange;
        }
    }
}
