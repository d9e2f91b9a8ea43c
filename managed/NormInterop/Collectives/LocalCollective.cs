using NormInterop.Collectives;

namespace NormInterop;

/// <summary>
/// A group whose ranks are threads of this process: for tests, and for models that are replicated in one program. Each rank is used by
/// one thread, and disposed of when that thread takes part no longer.
/// </summary>
public sealed class LocalCollective : ICollective, IDisposable
{
    private readonly CollectiveSession _session;

    private LocalCollective(LocalTransport.Hub hub, int rank, TimeSpan limit) =>
        _session = new CollectiveSession(new LocalTransport(hub, rank), limit);

    /// <summary>Makes a group.</summary>
    /// <param name="worldSize">The number of ranks, 1 to 1024.</param>
    /// <param name="timeLimit">How long operations wait for other ranks; null for five minutes.</param>
    /// <returns>The places in it: element r is rank r.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of ranks is below 1 or above 1024; the limit is not above zero, or above 24
    /// days.</exception>
    public static IReadOnlyList<LocalCollective> Create(int worldSize, TimeSpan? timeLimit = null)
    {
        if (worldSize is < 1 or > 1024)
            throw new ArgumentOutOfRangeException(nameof(worldSize), worldSize, "Expected 1 to 1024 ranks.");
        TimeSpan limit = CollectiveSession.CheckLimit(timeLimit);
        LocalTransport.Hub hub = new(worldSize);
        return [.. Enumerable.Range(0, worldSize).Select(r => new LocalCollective(hub, r, limit))];
    }

    /// <inheritdoc/>
    public int Rank => _session.Rank;

    /// <inheritdoc/>
    public int WorldSize => _session.Size;

    /// <inheritdoc/>
    public TimeSpan TimeLimit => _session.Limit;

    /// <summary>What this rank has sent so far; nothing in a group of one.</summary>
    public CollectiveTraffic Traffic => _session.Traffic;

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "") =>
        _session.AllGather(values, gathered, operation);

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "") =>
        _session.AllGather(values, gathered, operation);

    /// <inheritdoc/>
    public void AllReduce(Span<double> values, string operation = "") => _session.AllReduce(values, operation);

    /// <inheritdoc/>
    public void AllReduce(Span<float> values, string operation = "") => _session.AllReduce(values, operation);

    /// <inheritdoc/>
    public void Barrier(string operation = "") => _session.Barrier(operation);

    /// <summary>Leaves the group: operations that the other ranks call from now on fail.</summary>
    public void Dispose() => _session.Dispose();
}
