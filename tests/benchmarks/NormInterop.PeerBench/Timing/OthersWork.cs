using System.Diagnostics;
using System.Globalization;

namespace NormInterop.PeerBench.Timing;

/// <summary>
/// How many processors were taken by anything but this process since it was made: other programs, and other guests of the machine below.
/// </summary>
internal sealed class OthersWork
{
    /// <summary>Processors from which on the figures deserve a warning.</summary>
    public const double Busy = 0.2;

    // USER_HZ, in which Linux shows times to programs, is 100 everywhere.
    private const double TicksPerSecond = 100;

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly double? _all = AllSeconds();
    private readonly double _own = OwnSeconds();

    /// <summary>The processors, or null where the system does not say.</summary>
    public double? Processors()
    {
        double elapsed = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        if (_all is not { } before || AllSeconds() is not { } now || elapsed <= 0)
            return null;
        return Math.Max(0, now - before - (OwnSeconds() - _own)) / elapsed;
    }

    private static double OwnSeconds() => Environment.CpuUsage.TotalTime.TotalSeconds;

    private static double? AllSeconds()
    {
        const string Statistics = "/proc/stat";
        if (!File.Exists(Statistics))
            return null;

        // cpu user nice system idle iowait irq softirq steal
        string[] fields = File.ReadLines(Statistics).First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double Field(int index) => index < fields.Length ? double.Parse(fields[index], CultureInfo.InvariantCulture) : 0;
        return (Field(1) + Field(2) + Field(3) + Field(6) + Field(7) + Field(8)) / TicksPerSecond;
    }
}
