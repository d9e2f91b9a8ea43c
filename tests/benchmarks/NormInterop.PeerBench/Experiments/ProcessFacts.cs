using System.Diagnostics;
using System.Globalization;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What the system counts for this process.</summary>
/// <param name="Threads">Its threads, those of the run-time system among them.</param>
/// <param name="ResidentBytes">Its memory that is in memory.</param>
internal readonly record struct ProcessFacts(int Threads, long ResidentBytes)
{
    public double ResidentMegabytes => ResidentBytes / 1e6;

    public static ProcessFacts Now()
    {
        using Process process = Process.GetCurrentProcess();
        return new(process.Threads.Count, process.WorkingSet64);
    }

    /// <summary>Page faults so far that needed no disk; NaN where the system does not say.</summary>
    public static double PageFaults()
    {
        const string Statistics = "/proc/self/stat";
        if (!File.Exists(Statistics))
            return double.NaN;

        // "123 (name) S 1 ...": the name may have spaces. minflt is the tenth field, the eighth after the name.
        string text = File.ReadAllText(Statistics);
        return long.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[7], CultureInfo.InvariantCulture);
    }
}
