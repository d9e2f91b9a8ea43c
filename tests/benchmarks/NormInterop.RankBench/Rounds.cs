using NormInterop.PeerBench.Timing;

namespace NormInterop.RankBench;

/// <summary>Seconds by rank and round, of one thing that all ranks have timed.</summary>
internal sealed class Rounds
{
    private readonly double[] _own;
    private readonly double[] _all;
    private readonly int _rounds;

    public Rounds(ICollective group, int rounds)
    {
        _rounds = rounds;
        _own = new double[rounds];
        _all = new double[rounds * group.WorldSize];
    }

    /// <summary>What this rank has timed.</summary>
    public double this[int round]
    {
        set => _own[round] = value;
    }

    /// <summary>Brings the times of all ranks here. The other members can be used then.</summary>
    public void Share(ICollective group) => group.AllGather(_own, _all, "times");

    /// <summary>A percentile over the rounds of what the slowest rank took.</summary>
    public double Slowest(double share = 0.5) => Statistics.Percentile(OverRanks(Enumerable.Max), share);

    /// <summary>The median over the rounds of what the ranks took on average.</summary>
    public double Average() => Statistics.Median(OverRanks(Enumerable.Average));

    /// <summary>The median over the rounds of what the fastest rank took: in an operation, the one that came last.</summary>
    public double Fastest() => Statistics.Median(OverRanks(Enumerable.Min));

    private IEnumerable<double> OverRanks(Func<IEnumerable<double>, double> choose) =>
        Enumerable.Range(0, _rounds).Select(i => choose(Enumerable.Range(0, _all.Length / _rounds).Select(r => _all[(r * _rounds) + i])));
}
