using System.Diagnostics;

namespace NormInterop.PeerBench.Timing;

/// <summary>How long a case is timed.</summary>
/// <param name="Seconds">Rounds begin until so much time has passed.</param>
/// <param name="Rounds">Exactly so many instead; 0 for as many as the time allows.</param>
/// <param name="Fewest">Rounds that the slowest case gets as well: below, a median is a matter of luck.</param>
internal readonly record struct Budget(double Seconds, int Rounds, int Fewest = 5)
{
    /// <summary>Where there is no time for more.</summary>
    public const int FewestOfSlowMachine = 3;

    /// <summary>More would not make a median much better.</summary>
    public const int MostRounds = 400;

    public bool IsUsedUp(int rounds, TimeSpan elapsed) =>
        Rounds > 0 ? rounds >= Rounds : rounds >= MostRounds || (rounds >= Fewest && elapsed.TotalSeconds >= Seconds);
}

/// <summary>Takes the time of contestants in turns, so that a disturbance, or a slow spell of the machine, hits all of them.</summary>
internal static class RoundRobin
{
    // Of a contestant that is far behind the first one nobody needs to know exactly how far, and its turns cost the others theirs.
    private const int RoundsOfSlow = 7;

    public static void Run(IReadOnlyList<Lane> lanes, Budget budget, Func<long> pageFaults)
    {
        foreach (Lane lane in lanes)
            lane.Calibrate();
        foreach (Lane lane in lanes.Where(lane => lane.IsSlowBeside(lanes[0])))
            lane.LimitRounds(RoundsOfSlow);
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; !budget.IsUsedUp(round, Stopwatch.GetElapsedTime(start)); round++)
        {
            for (int turn = 0; turn < lanes.Count; turn++)
            {
                Lane lane = lanes[Index(round, turn, lanes.Count)];
                if (!lane.IsDone)
                    lane.TakeTurn(pageFaults);
            }
        }
    }

    // Another one begins every time, and every other round goes backwards, so that nobody always finds in the cache what the same other
    // one left there.
    private static int Index(int round, int turn, int count) =>
        round % 2 == 0 ? (round / 2 + turn) % count : (count - 1 - turn + (round / 2)) % count;
}
