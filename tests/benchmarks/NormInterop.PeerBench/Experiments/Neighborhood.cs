using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Timing;
using Spectre.Console;

namespace NormInterop.PeerBench.Experiments;

/// <summary>
/// Two callers beside another program that keeps a processor busy: how long single calls take, and how long loops of the same length do
/// that are on one thread each and wait for nobody.
/// </summary>
internal static class Neighborhood
{
    private const int Samples = 1 << 19;
    private const double Most = 3;
    private const double Tail = 0.99;

    public static void Run(Case entry, bool quick, ExperimentReport report)
    {
        double seconds = quick ? 1 : 3;
        using CallWork first = new(entry), second = new(entry);
        IWork[] calls = [first, second];
        OthersWork others = new();
        Latency quiet = Latency.Of(Callers.Run(calls, seconds, Samples));
        IWork[] loops = [new PlainWork(quiet.Median), new PlainWork(quiet.Median)];
        Latency quietLoop = Latency.Of(Callers.Run(loops[..1], seconds, Samples));
        Latency quietLoops = Latency.Of(Callers.Run(loops, seconds, Samples));
        report.Doubt(others);

        Latency busy, busyLoop, busyLoops;
        const int LifeSeconds = 60;
        using (new BusyNeighbor(LifeSeconds))
        {
            busy = Latency.Of(Callers.Run(calls, seconds, Samples));
            busyLoop = Latency.Of(Callers.Run(loops[..1], seconds, Samples));
            busyLoops = Latency.Of(Callers.Run(loops, seconds, Samples));
        }

        Table table = ExperimentReport.Table(
            $"{entry}, single calls", "quiet median, µs", "99 %", "busy median, µs", "99 %", "maximum", "99 %/quiet median");
        AddTo(table, "two callers", quiet, busy);
        AddTo(table, "plain loop of that length, one thread", quietLoop, busyLoop);
        AddTo(table, "two of them on two threads", quietLoops, busyLoops);
        report.Write(table);
        string two = Format.Times(busyLoops.Tail / quietLoops.Median), one = Format.Times(busyLoop.Tail / quietLoop.Median);
        report.AtMost(
            $"99 % beside a busy process against the quiet median, {entry}",
            busy.Tail / quiet.Median,
            Most,
            remark: $"plain loops on two threads, which wait for the scheduler alone: {two}, on one: {one}");
    }

    private static void AddTo(Table table, string name, Latency quiet, Latency busy) => table.AddRow(
        name,
        Format.Microseconds(quiet.Median),
        Format.Microseconds(quiet.Tail),
        Format.Microseconds(busy.Median),
        Format.Microseconds(busy.Tail),
        Format.Microseconds(busy.Maximum),
        Format.Times(busy.Tail / quiet.Median));

    /// <summary>How long single calls took, in seconds.</summary>
    private readonly record struct Latency(double Median, double Tail, double Maximum)
    {
        public static Latency Of(CallersResult result) => new(
            Statistics.Median(result.Latencies),
            Statistics.Percentile(result.Latencies, Neighborhood.Tail),
            result.Latencies.Max());
    }
}
