using System.Globalization;
using NormInterop.PeerBench.Results;

namespace NormInterop.PeerBench.Reports;

/// <summary>What all reports say around the figures.</summary>
internal static class Texts
{
    public const string Title = "NormInterop beside its peers";

    /// <summary>With what the figures came about, line by line.</summary>
    public static IEnumerable<string> Setup(BenchSetup setup)
    {
        string date = setup.Date.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        yield return $"{setup.Processor}, {setup.Threads} threads, {setup.CacheBytes >> 20} MiB of last-level cache; {date} UTC";
        yield return $"{setup.Library}; {setup.Isa} kernels";
        if (setup.Peers.Count > 0)
            yield return "Beside it: " + string.Join("; ", setup.Peers);
        foreach (string missing in setup.Missing)
            yield return "Left out: " + missing;
        if (!setup.HeapKept)
            yield return "The heap cannot be kept from giving memory back here: the times of libtorch include page faults";
    }

    /// <summary>How to read them.</summary>
    public static IReadOnlyList<string> Method { get; } =
    [
        "One process and one set of buffers. In every round each contestant takes its turn, in changing order: one call that is not timed, "
            + "then calls for at least 0.2 ms. Times are medians of the rounds; a ratio is that of the medians, followed by the 10th and "
            + "90th percentile of the ratios within a round. Results were compared before anything was timed.",
        "The limit is the time that moving the bytes of the pass takes: a copy of x for a forward, an output made of two inputs for a "
            + "backward, with regular or with streaming stores, whichever is faster. At 100 % we are as fast as that.",
        "Size says where the tensors of the pass lie: in memory (larger than the last-level cache), in the cache, or small (at most "
            + "256 KiB together).",
        "RMSNorm of libtorch is the formula in its operators: 1.13 has no kernel of its own. Where a peer has nothing (oneDNN 2.6 has "
            + "BatchNorm and LayerNorm, on float and BFloat16) the tables say n/a. The reference runs on one thread and is there to be "
            + "read, not to be fast; it sits out large cases.",
    ];

    /// <summary>What should make a reader doubt the figures.</summary>
    public static IEnumerable<string> Doubts(BenchReport report)
    {
        foreach (string error in report.Errors)
            yield return "Error: " + error;
        if (report.NotTimed > 0)
            yield return $"{report.NotTimed} cases were not timed: the run was interrupted, failed there, or the machine was too busy.";
        CaseResult[] busy = [.. report.Results.Where(result => result.OthersProcessors > Timing.OthersWork.Busy)];
        if (busy.Length > 0)
        {
            CaseResult worst = busy.MaxBy(result => result.OthersProcessors)!;
            yield return $"Other work took processors during {busy.Length} of {report.Results.Count} cases, "
                + $"{Format.Number(worst.OthersProcessors!.Value, "0.0")} at the most ({worst.Case}): these need another run.";
        }

        // A page fault costs about as much as moving a page. They are those of the whole process: a few are always somebody else's.
        const double SecondsOfFault = 0.5e-6;
        const double Share = 0.02;
        var faulty =
            from result in report.Results
            from measurement in result.Measurements
            where measurement.FaultsPerCall > 1 && measurement.FaultsPerCall * SecondsOfFault > Share * measurement.Median
            group (result, measurement) by measurement.Name;
        foreach (var contestant in faulty)
        {
            (CaseResult result, Measurement measurement) = contestant.MaxBy(entry => entry.measurement.FaultsPerCall);
            yield return $"The times of {contestant.Key} include page faults in {contestant.Count()} of {report.Results.Count} cases, "
                + $"{Format.Number(measurement.FaultsPerCall, "0")} for each call at the most ({result.Case}).";
        }
    }
}
