using System.Diagnostics;
using NormInterop.PeerBench.Timing;

namespace NormInterop.RankBench;

/// <summary>Times everything by the ranks of a job; the first one says what came of it.</summary>
internal static class RankJob
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    public static void Run(Options options)
    {
        using MpiCollective group = MpiCollective.World(s_limit);
        if (group.WorldSize < 2)
            throw new InvalidOperationException("There is one rank, which has nobody to talk to. Start at least two: mpirun -np 2 ...");
        int rounds = options.Quick ? 100 : 400, steps = options.Quick ? 50 : 200;
        OthersWork others = new();
        long start = Stopwatch.GetTimestamp();
        double before = Environment.CpuUsage.TotalTime.TotalSeconds;
        CollectiveTimes alone = new(group);
        alone.Run(rounds / 10, rounds);
        LayerTimes[] layers = [.. LayerShape.All.Select(shape => new LayerTimes(group, shape, steps))];
        for (int round = -steps / 10; round < steps; round++)
        {
            foreach (LayerTimes layer in layers)
                layer.Step(round);
        }

        foreach (LayerTimes layer in layers)
            layer.Share();
        double[] used = [Environment.CpuUsage.TotalTime.TotalSeconds - before];
        double? busy = others.Processors() + (used[0] / Stopwatch.GetElapsedTime(start).TotalSeconds);
        group.AllReduce(used);
        if (busy is { } all)
            busy = Math.Max(0, all - (used[0] / Stopwatch.GetElapsedTime(start).TotalSeconds));
        if (group.Rank != 0)
            return;

        Title(options, group, busy);
        Report(alone);
        Report(layers, alone);
        if (options.Results.Length > 0)
            Measurements.Of(options.Link, group.WorldSize, alone, layers).Write(options.Results);
    }

    private static void Title(Options options, MpiCollective group, double? busy)
    {
        int processors = Environment.ProcessorCount;
        Line($"## {group.WorldSize} ranks, {options.Link}");
        Line($"");
        string mpi = MpiCollective.LibraryVersion.Split('\n', ',')[0];
        Line($"{mpi}; {processors} processors; one thread a rank. Work of others: {busy:0.0} processors.");
        if (busy > OthersWork.Busy)
            Line($"**The machine was busy with other work: the times are too long.**");
        if (group.WorldSize > processors)
        {
            Line($"More ranks than processors: each computes at a fraction of its speed, and waits for others to be scheduled.");
            Line($"What follows is what this costs on this machine, and not what it would with a processor for each rank.");
        }
        else if (group.WorldSize == processors)
        {
            Line($"As many ranks as processors: mpirun and the system take their turns from the ranks.");
        }
    }

    private static void Report(CollectiveTimes alone)
    {
        Line($"");
        Line($"An operation alone: µs on the slowest rank after a barrier.");
        Line($"");
        Line($"| C | {CollectiveTimes.Forward} | 10th percentile | {CollectiveTimes.Backward} | 10th percentile |");
        Line($"|---:|---:|---:|---:|---:|");
        foreach (int channels in CollectiveTimes.Channels)
        {
            Rounds gather = alone.Of(CollectiveTimes.Forward, channels), reduce = alone.Of(CollectiveTimes.Backward, channels);
            string[] cells = [Us(gather.Slowest()), Us(gather.Slowest(0.1)), Us(reduce.Slowest()), Us(reduce.Slowest(0.1))];
            Line($"| {channels} | {string.Join(" | ", cells)} |");
        }
    }

    private static void Report(LayerTimes[] layers, CollectiveTimes alone)
    {
        Line($"");
        Line($"A step, forward and backward: µs. Steps are the slowest rank's; time inside the group is the average of the ranks.");
        Line($"Of that, the operations alone take what the table above says; the rest is waiting for the slowest rank.");
        Line($"");
        Line($"| Per rank | BatchNorm2d | SyncBatchNorm | Inside the group | Share | Operations alone | Waiting | Inside, last to come |");
        Line($"|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (LayerTimes layer in layers)
        {
            double inside = layer.Inside.Average();
            double both = alone.Of(CollectiveTimes.Forward, layer.Shape.Channels).Slowest()
                + alone.Of(CollectiveTimes.Backward, layer.Shape.Channels).Slowest();
            string share = FormattableString.Invariant($"{100 * inside / layer.Sync.Average():0} %");
            string[] cells =
            [
                layer.Shape.ToString(), Us(layer.Plain.Slowest()), Us(layer.Sync.Slowest()), Us(inside), share, Us(both),
                Us(Math.Max(inside - both, 0)), Us(layer.Inside.Fastest()),
            ];
            Console.WriteLine($"| {string.Join(" | ", cells)} |");
        }

        Line($"");
    }

    private static string Us(double seconds) => FormattableString.Invariant($"{seconds * 1e6:0.0}");

    private static void Line(FormattableString text) => Console.WriteLine(FormattableString.Invariant(text));
}
