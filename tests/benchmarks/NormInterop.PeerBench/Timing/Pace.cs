using System.Diagnostics;

namespace NormInterop.PeerBench.Timing;

/// <summary>
/// Keeps a run within its time, also on a machine that is too busy for it: with fewer rounds, and in the end with fewer cases.
/// </summary>
/// <param name="usual">Of a case.</param>
/// <param name="seconds">Of the whole run; infinite for as long as it takes.</param>
/// <param name="cases">How many there are.</param>
internal sealed class Pace(Budget usual, double seconds, int cases)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private int _begun;

    /// <summary>Whether there is no time left for a further case.</summary>
    public bool IsOver => Elapsed >= seconds;

    private double Elapsed => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>What the next case may take.</summary>
    public Budget Next()
    {
        // The comparison of results and the calibration come on top, and that is what a slow machine is slow with as well.
        double share = (seconds - Elapsed) / (cases - _begun);
        double average = _begun == 0 ? 0 : Elapsed / _begun;
        _begun++;
        return average > share ? usual with { Seconds = 0, Fewest = Budget.FewestOfSlowMachine } : usual;
    }
}
