using System.CommandLine;
using NormInterop.PeerBench.Commands;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Results;
using NormInterop.PeerBench.Timing;
using Spectre.Console;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What further threads are good for, from one row to more than the caches hold.</summary>
internal sealed class ThreadsExperiment() : Experiment("threads", "several threads against one, from tiny to large tensors")
{
    private const double LeastAnywhere = 0.95;
    private const double LeastShareInCache = 0.85;
    private const long LargeBytes = 1_000_000;

    private static readonly int[] Rows = [1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192];
    private static readonly Shape[] Images = [new(1, 64, 56, 56), new(8, 16, 32, 32), new(32, 256, 14, 14)];

    private static readonly Case[] Cases =
    [
        .. from rows in Rows
           from entry in Passes(Family.LayerNorm, new(rows, 768))
           select entry,
        .. from shape in Images
           from entry in Passes(Family.BatchNorm, shape)
           select entry,
    ];

    private readonly Option<int> _threads = Arguments.Number("--threads", "threads of the calls beside those on one", _ => 2, 1024);
    private readonly Option<double> _seconds = Arguments.Seconds("--seconds", "time for each case (1; quick: 0.3)");

    protected override IEnumerable<Option> Options => [_threads, _seconds];

    protected override void Run(ParseResult arguments, bool quick, ExperimentReport report)
    {
        int threads = arguments.GetValue(_threads);
        double seconds = arguments.GetValue(_seconds) is > 0 and var chosen ? chosen : quick ? 0.3 : 1;
        int limit = NormRuntime.ThreadLimit;
        long cache = Machine.CacheBytes();
        Table table = ExperimentReport.Table("float", "MB", "size", "1 thread, µs", $"{threads} threads, µs", "ratio", "10 %..90 %", "bar");
        List<(Case Entry, double Ratio, double Bar)> figures = [];
        OthersWork others = new();
        using SharedBuffers buffers = new(Cases);
        Settle([.. Cases.DistinctBy(entry => (entry.Family, entry.Layout, entry.Pass)).Select(entry => Filled(entry, buffers))]);
        foreach (Case entry in Cases)
        {
            SizeClass size = entry.SizeClass(cache);
            bool gains = size != SizeClass.Beyond && entry.Bytes > LargeBytes;

            // 1.7 for two threads.
            double bar = gains ? LeastShareInCache * threads : LeastAnywhere;
            (double one, double several, double[] ratios) = Time(entry, buffers, threads, seconds);
            table.AddRow(
                $"{entry.Layer} {entry.Shape} {entry.Layout.Text()} {entry.Pass.Text()}",
                Format.Megabytes(entry.Bytes),
                size.Text(),
                Format.Microseconds(one),
                Format.Microseconds(several),
                Format.Times(one / several),
                $"{Format.Times(Statistics.Percentile(ratios, 0.1))}..{Format.Times(Statistics.Percentile(ratios, 0.9))}",
                Format.Times(bar) + (one / several < bar ? " missed" : ""));
            figures.Add((entry, one / several, bar));
        }

        report.Write(table);
        report.Doubt(others);
        NormRuntime.ThreadLimit = limit;
        foreach (var group in figures.GroupBy(figure => figure.Bar))
        {
            (Case lowest, double ratio, double bar) = group.MinBy(figure => figure.Ratio);
            string where = bar > LeastAnywhere ? "in the cache, larger than 1 MB" : "all others";
            string missed = $"missed by {group.Count(figure => figure.Ratio < bar)}, marked above";
            report.AtLeast($"{group.Count()} cases, {where}; the lowest, {lowest}", ratio, bar, remark: missed);
        }
    }

    private static (double One, double Several, double[] Ratios) Time(Case entry, SharedBuffers buffers, int threads, double seconds)
    {
        Contestant[] contestants = [new LimitedThreads(Filled(entry, buffers), 1), new LimitedThreads(Filled(entry, buffers), threads)];
        Lane[] lanes = InTurns(contestants, seconds);
        double[] ratios = [.. lanes[0].Seconds.Zip(lanes[1].Seconds, (one, several) => one / several)];
        return (Statistics.Median(lanes[0].Seconds), Statistics.Median(lanes[1].Seconds), ratios);
    }

    private static Contestant Filled(Case entry, SharedBuffers buffers)
    {
        buffers.Fill(entry);
        buffers.ResetResults(entry);
        return ManagedApi.Create(ManagedApi.Name, entry, buffers);
    }

    private static IEnumerable<Case> Passes(Family family, Shape shape) =>
        CaseMatrix.Cases(family, shape, DataType.Float, groups: 0).Where(entry => !entry.Pass.UsesRunning());

    /// <summary>A contestant that gets so many threads in its turns.</summary>
    private sealed class LimitedThreads(Contestant contestant, int threads) : Contestant(contestant.Name)
    {
        public override void Prepare(int calls)
        {
            NormRuntime.ThreadLimit = threads;
            contestant.Prepare(calls);
        }

        public override void Run(int calls) => contestant.Run(calls);
    }
}
