using System.Diagnostics;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Timing;
using Spectre.Console;

namespace NormInterop.PeerBench.Experiments;

/// <summary>A great many calls from several threads: nothing may become more with them.</summary>
internal static class Endurance
{
    private const int CallerCount = 4;

    // The threads that helped a caller end a little later than the caller.
    private const int EndMilliseconds = 300;

    // The run-time system compiles and measures in the background, and takes and gives back some memory for it.
    private const double MostMegabytes = 2;

    /// <summary>Makes the calls, and looks at the process when a tenth of them is done and at the end of all.</summary>
    public static void Run(Case entry, int calls, ExperimentReport report)
    {
        CallWork[] works = [.. Enumerable.Range(0, CallerCount).Select(_ => new CallWork(entry))];
        ProcessFacts before = ProcessFacts.Now(), early = default, late = default;
        OthersWork others = new();
        long start = Stopwatch.GetTimestamp();

        // The callers wait while one of them looks.
        int phase = 0;
        using Barrier barrier = new(CallerCount, _ =>
        {
            late = ProcessFacts.Now();
            if (phase++ == 0)
                early = late;
        });
        int share = calls / CallerCount;
        Thread[] threads = [.. works.Select(work => new Thread(() => Call(work, share, barrier)))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Thread.Sleep(EndMilliseconds);
        ProcessFacts after = ProcessFacts.Now();
        foreach (CallWork work in works)
            work.Dispose();

        Table table = ExperimentReport.Table($"{entry}, {calls} calls of {CallerCount} callers", "threads", "MB");
        AddTo(table, "before the callers", before);
        AddTo(table, "after a tenth of the calls", early);
        AddTo(table, "after all calls", late);
        AddTo(table, $"without the callers, after {Format.Number(seconds, "0.0")} s", after);
        report.Write(table);
        report.Doubt(others);

        // A caller gets its helpers when a call finds threads free, which can be its last one. More than all of them must never be there.
        int most = CallerCount * NormRuntime.ThreadLimit;
        string threadsNow = $"threads of {CallerCount} callers and their helpers after {calls} calls, {entry}";
        report.AtMost(threadsNow, late.Threads - before.Threads, most);
        double more = late.ResidentMegabytes - early.ResidentMegabytes;
        report.AtMost($"memory more after {calls} calls than after a tenth, {entry}", more, MostMegabytes, " MB");
    }

    private static void Call(CallWork work, int calls, Barrier barrier)
    {
        int early = calls / 10;
        Repeat(work, early);
        barrier.SignalAndWait();
        Repeat(work, calls - early);
        barrier.SignalAndWait();
    }

    private static void Repeat(CallWork work, int calls)
    {
        for (int i = 0; i < calls; i++)
            work.Do();
    }

    private static void AddTo(Table table, string when, ProcessFacts facts) =>
        table.AddRow(when, $"{facts.Threads}", Format.Number(facts.ResidentMegabytes, "0.0"));
}
