using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Timing;
using Spectre.Console;

namespace NormInterop.PeerBench.Experiments;

/// <summary>Many callers at once, against one that has all threads.</summary>
internal static class Crowd
{
    // In turns, as everything that is compared.
    private const int Rounds = 5;
    private const double TurnSeconds = 0.5;
    private const double QuickTurnSeconds = 0.15;

    // The threads that helped a caller end a little later than the caller.
    private const int EndMilliseconds = 300;

    private static readonly int[] Counts = [1, 2, 4, 16, 64];

    public static void Run(Case entry, bool quick, ExperimentReport report)
    {
        int limit = NormRuntime.ThreadLimit;
        Team[] teams = [new(1, "1, on one thread", 1), .. Counts.Select(count => new Team(count, $"{count}", limit))];
        CallWork[] works = [.. Enumerable.Range(0, teams[^1].Callers).Select(_ => new CallWork(entry))];
        ProcessFacts before = ProcessFacts.Now();
        for (int round = 0; round < Rounds; round++)
        {
            foreach (Team team in teams)
            {
                NormRuntime.ThreadLimit = team.Threads;
                team.Results.Add(Callers.Run([.. works.Take(team.Callers)], quick ? QuickTurnSeconds : TurnSeconds));
                Thread.Sleep(EndMilliseconds);
                team.After = ProcessFacts.Now();
            }
        }

        NormRuntime.ThreadLimit = limit;
        foreach (CallWork work in works)
            work.Dispose();
        Show(entry, teams, before, report);
    }

    private static void Show(Case entry, Team[] teams, ProcessFacts before, ExperimentReport report)
    {
        Table table = ExperimentReport.Table(
            $"{entry}, callers", "calls/s", "against 1", "slowest/fastest", "threads during", "after", "MB during", "after");
        double one = teams[1].CallsPerSecond;
        foreach (Team team in teams)
        {
            table.AddRow(
                team.Name,
                Format.Number(team.CallsPerSecond, "0"),
                Format.Times(team.CallsPerSecond / one),
                Format.Times(Statistics.Median(team.Results.Select(result => result.Fairness))),
                $"{team.Results.Max(result => result.During.Threads)}",
                $"{team.After.Threads}",
                Format.Number(team.Results.Max(result => result.During.ResidentMegabytes), "0"),
                Format.Number(team.After.ResidentMegabytes, "0"));
        }

        report.Write(table);
        string memory = Format.Number(before.ResidentMegabytes, "0");
        report.Line($"Before: {before.Threads} threads, {memory} MB, the buffers of all callers included.");

        // On a busy machine a caller with several threads waits for those, and everything is faster than that.
        double best = Math.Max(one, teams[0].CallsPerSecond);
        string what = $"calls/s of {teams[^1].Callers} callers against one, with all threads or on one, {entry}";
        report.AtLeast(what, teams[^1].CallsPerSecond / best, 1);
    }

    /// <summary>So many callers, and how they fared.</summary>
    private sealed record Team(int Callers, string Name, int Threads)
    {
        public List<CallersResult> Results { get; } = [];

        public ProcessFacts After { get; set; }

        public double CallsPerSecond => Statistics.Median(Results.Select(result => result.PerSecond));
    }
}
