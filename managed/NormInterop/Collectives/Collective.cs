using NormInterop.Collectives;

namespace NormInterop;

/// <summary>What <see cref="MpiCollective"/> and <see cref="LocalCollective"/> share: all but how their groups are made.</summary>
public abstract class Collective : ICollective, IDisposable
{
    private protected Collective(CollectiveSession session) => Session = session;

    /// <inheritdoc/>
    public int Rank => Session.Rank;

    /// <inheritdoc/>
    public int WorldSize => Session.Size;

    /// <inheritdoc/>
    public TimeSpan TimeLimit => Session.Limit;

    /// <summary>What this rank has sent so far; nothing in a group of one.</summary>
    public CollectiveTraffic Traffic => Session.Traffic;

    private protected CollectiveSession Session { get; }

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "") =>
        Session.AllGather(values, gathered, operation);

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "") =>
        Session.AllGather(values, gathered, operation);

    /// <inheritdoc/>
    public void AllReduce(Span<double> values, string operation = "") => Session.AllReduce(values, operation);

    /// <inheritdoc/>
    public void AllReduce(Span<float> values, string operation = "") => Session.AllReduce(values, operation);

    /// <inheritdoc/>
    public void Barrier(string operation = "") => Session.Barrier(operation);

    /// <summary>Leaves the group: operations that the other ranks call from now on fail. A second call does nothing.</summary>
    public void Dispose()
    {
        Session.Dispose();
        GC.SuppressFinalize(this);
    }
}
