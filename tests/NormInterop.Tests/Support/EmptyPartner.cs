namespace NormInterop.Tests.Support;

/// <summary>
/// A group of two of which the other rank always has an empty batch: a synchronized layer goes all its ways, and must give the numbers of
/// one that is alone.
/// </summary>
internal sealed class EmptyPartner : ICollective
{
    public int Rank => 0;

    public int WorldSize => 2;

    public TimeSpan TimeLimit => TimeSpan.FromSeconds(1);

    public void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "") => Gather(values, gathered);

    public void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "") => Gather(values, gathered);

    /// <summary>The sums of nothing are 0.</summary>
    public void AllReduce(Span<double> values, string operation = "")
    {
    }

    public void AllReduce(Span<float> values, string operation = "")
    {
    }

    public void Barrier(string operation = "")
    {
    }

    private static void Gather<T>(ReadOnlySpan<T> values, Span<T> gathered)
    {
        values.CopyTo(gathered);
        gathered[values.Length..].Clear();
    }
}
