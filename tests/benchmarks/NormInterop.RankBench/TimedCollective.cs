using System.Diagnostics;

namespace NormInterop.RankBench;

/// <summary>A group that knows how long its operations have taken. What it adds to each is two looks at the clock.</summary>
internal sealed class TimedCollective(ICollective group) : ICollective
{
    public int Rank => group.Rank;

    public int WorldSize => group.WorldSize;

    public TimeSpan TimeLimit => group.TimeLimit;

    /// <summary>Time inside operations so far, in ticks of the Stopwatch.</summary>
    public long Ticks { get; private set; }

    public void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "")
    {
        long start = Stopwatch.GetTimestamp();
        group.AllGather(values, gathered, operation);
        Ticks += Stopwatch.GetTimestamp() - start;
    }

    public void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "")
    {
        long start = Stopwatch.GetTimestamp();
        group.AllGather(values, gathered, operation);
        Ticks += Stopwatch.GetTimestamp() - start;
    }

    public void AllReduce(Span<double> values, string operation = "")
    {
        long start = Stopwatch.GetTimestamp();
        group.AllReduce(values, operation);
        Ticks += Stopwatch.GetTimestamp() - start;
    }

    public void AllReduce(Span<float> values, string operation = "")
    {
        long start = Stopwatch.GetTimestamp();
        group.AllReduce(values, operation);
        Ticks += Stopwatch.GetTimestamp() - start;
    }

    public void Barrier(string operation = "")
    {
        long start = Stopwatch.GetTimestamp();
        group.Barrier(operation);
        Ticks += Stopwatch.GetTimestamp() - start;
    }
}
