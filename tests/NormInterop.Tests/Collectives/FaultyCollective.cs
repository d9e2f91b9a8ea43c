namespace NormInterop.Tests.Collectives;

/// <summary>A rank that does something of its own before an operation.</summary>
internal sealed class FaultyCollective(ICollective group) : ICollective
{
    /// <summary>Called before every operation, with its name.</summary>
    internal Action<string> Before { get; set; } = _ => { };

    public int Rank => group.Rank;

    public int WorldSize => group.WorldSize;

    public TimeSpan TimeLimit => group.TimeLimit;

    public void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "")
    {
        Before(operation);
        group.AllGather(values, gathered, operation);
    }

    public void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "")
    {
        Before(operation);
        group.AllGather(values, gathered, operation);
    }

    public void AllReduce(Span<double> values, string operation = "")
    {
        Before(operation);
        group.AllReduce(values, operation);
    }

    public void AllReduce(Span<float> values, string operation = "")
    {
        Before(operation);
        group.AllReduce(values, operation);
    }

    public void Barrier(string operation = "")
    {
        Before(operation);
        group.Barrier(operation);
    }
}
