using System.Diagnostics;
using NormInterop.Collectives;
using NormInterop.Functional;
using NormInterop.PeerBench.Timing;

namespace NormInterop.RankBench;

/// <summary>
/// What a rank computes around a message, by the library's own code: the blocks of any number of ranks lie ready in memory.
/// </summary>
/// <param name="Gather">Headers compared and blocks copied, seconds.</param>
/// <param name="Merge">The moments merged.</param>
/// <param name="Reduce">Headers compared and blocks summed.</param>
internal readonly record struct CpuCost(double Gather, double Merge, double Reduce)
{
    public double Step => Gather + Merge + Reduce;

    public double Of(string operation) => operation == CollectiveTimes.Forward ? Gather : Reduce;

    /// <summary>Takes medians over some rounds.</summary>
    /// <param name="native">A group of the library for MPI, which every look at a block goes through as well.</param>
    /// <param name="ranks">The ranks whose blocks are there.</param>
    /// <param name="channels">C.</param>
    /// <param name="rounds">Of how many to take the median.</param>
    public static CpuCost Measure(MpiTransport native, int ranks, int channels, int rounds)
    {
        ReadyTransport transport = new(native, ranks);
        using CollectiveSession session = new(transport, TimeSpan.FromSeconds(1));
        BatchSync sync = new(new Group(session), channels);
        double[] values = new double[(2 * channels) + 1], gathered = new double[values.Length * ranks];
        Array.Fill(values, 1);
        sync.Mean.Fill(0.5);
        sync.M2.Fill(1);
        double[] gather = new double[rounds], both = new double[rounds], reduce = new double[rounds];
        bool isInParts = Wire.IsInParts(ranks, 2 * channels);
        const int warmUp = 2;
        for (int round = -warmUp; round < rounds; round++)
        {
            int at = Math.Max(round, 0);
            gather[at] = Time(() => session.AllGather<double>(values, gathered, ""));
            both[at] = Time(() => sync.MergeMoments(1));
            reduce[at] = isInParts ? double.NaN : Time(sync.ReduceSums);
        }

        double alone = Statistics.Median(gather);
        return new(alone, Math.Max(0, Statistics.Median(both) - alone), Statistics.Median(reduce));

        double Time(Action action)
        {
            // Small ones many times: the clock's own cost would be seen.
            int calls = Math.Clamp(20000 / (ranks * channels), 1, 64);
            long start = Stopwatch.GetTimestamp(), excluded = transport.Ticks;
            for (int i = 0; i < calls; i++)
                action();
            return (Stopwatch.GetTimestamp() - start - (transport.Ticks - excluded)) / (double)Stopwatch.Frequency / calls;
        }
    }

    /// <summary>Has the blocks of all ranks, each with this rank's header. Its own time is known, so that it can be left out.</summary>
    private sealed class ReadyTransport(MpiTransport native, int ranks) : ICollectiveTransport
    {
        private byte[] _blocks = [];
        private int _bytes;

        public long Ticks { get; private set; }

        public int Rank => 0;

        public int Size => ranks;

        public int MostBytes => Array.MaxLength / ranks;

        public CollectiveFault? Gather(ReadOnlySpan<byte> block, TimeSpan limit)
        {
            long start = Stopwatch.GetTimestamp();
            bool isNew = _bytes != block.Length;
            _bytes = block.Length;
            if (_blocks.Length < ranks * _bytes)
                _blocks = new byte[ranks * _bytes];
            ReadOnlySpan<byte> copied = isNew ? block : block[..CollectiveHeader.Bytes];
            for (int r = 0; r < ranks; r++)
                copied.CopyTo(_blocks.AsSpan(r * _bytes));
            Ticks += Stopwatch.GetTimestamp() - start;
            return null;
        }

        public CollectiveFault? Exchange(ReadOnlySpan<byte> data, ReadOnlySpan<long> bounds, TimeSpan limit) =>
            throw new NotSupportedException();

        public ReadOnlySpan<byte> Block(int rank)
        {
            _ = native.Block(0);
            return _blocks.AsSpan(rank * _bytes, _bytes);
        }

        public void Dispose()
        {
        }
    }

    private sealed class Group(CollectiveSession session) : ICollective
    {
        public int Rank => session.Rank;

        public int WorldSize => session.Size;

        public TimeSpan TimeLimit => session.Limit;

        public void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "") =>
            session.AllGather(values, gathered, operation);

        public void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "") =>
            session.AllGather(values, gathered, operation);

        public void AllReduce(Span<double> values, string operation = "") => session.AllReduce(values, operation);

        public void AllReduce(Span<float> values, string operation = "") => session.AllReduce(values, operation);

        public void Barrier(string operation = "") => session.Barrier(operation);
    }
}
