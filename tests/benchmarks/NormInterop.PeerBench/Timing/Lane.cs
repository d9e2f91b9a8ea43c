using System.Diagnostics;
using NormInterop.PeerBench.Contestants;

namespace NormInterop.PeerBench.Timing;

/// <summary>A contestant, its turns and what they took.</summary>
/// <param name="contestant">Who takes the turns.</param>
/// <param name="maxRounds">How many turns at most: slow ones are not worth the time that the others could use.</param>
internal sealed class Lane(Contestant contestant, int maxRounds)
{
    // Long beside the clock's resolution, short beside a disturbance.
    private const double TurnSeconds = 200e-6;
    private const double CalibrationSeconds = 10e-3;

    // A heap that other sizes went through needs so many until every block has its place.
    private const int CalibrationTurns = 3;
    private const int MaxCalls = 4096;

    // Tensors that a cache holds are there for good only after a second call. What takes longer is not held by any.
    private const int FewestCallsInCache = 3;
    private const double LongestInCache = 1e-3;

    // A turn that is shorter takes nothing away from the others.
    private const double LongTurn = 5e-3;
    private const double FarBehind = 4;

    private int _maxRounds = maxRounds;
    private double _fastest = double.PositiveInfinity;
    private long _faults;

    public Contestant Contestant => contestant;

    /// <summary>Calls in a turn.</summary>
    public int Calls { get; private set; } = 1;

    /// <summary>Seconds of a call, by round.</summary>
    public List<double> Seconds { get; } = [];

    /// <summary>Page faults of a call, those of the untimed ones included.</summary>
    public double FaultsPerCall => Seconds.Count == 0 ? 0 : (double)_faults / (Seconds.Count * (Calls + 1));

    public bool IsDone => Seconds.Count >= _maxRounds;

    /// <summary>Finds how many calls make a turn; this warms everything up as well.</summary>
    public void Calibrate()
    {
        long start = Stopwatch.GetTimestamp();
        for (int turn = 0; turn < CalibrationTurns || Stopwatch.GetElapsedTime(start).TotalSeconds < CalibrationSeconds; turn++)
        {
            _fastest = Math.Min(_fastest, Turn() / Calls);
            int fewest = _fastest < LongestInCache ? FewestCallsInCache : 1;
            Calls = Math.Clamp((int)Math.Ceiling(TurnSeconds / _fastest), fewest, MaxCalls);
        }
    }

    public bool IsSlowBeside(Lane other) => _fastest > FarBehind * other._fastest && _fastest * (Calls + 1) > LongTurn;

    public void LimitRounds(int rounds) => _maxRounds = Math.Min(_maxRounds, rounds);

    public void TakeTurn(Func<long> pageFaults)
    {
        long before = pageFaults();
        Seconds.Add(Turn() / Calls);
        _faults += pageFaults() - before;
    }

    // One call that is not timed puts the caches into the state of a loop that does nothing else.
    private double Turn()
    {
        contestant.Prepare(Calls + 1);
        contestant.Run(1);
        long start = Stopwatch.GetTimestamp();
        contestant.Run(Calls);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
