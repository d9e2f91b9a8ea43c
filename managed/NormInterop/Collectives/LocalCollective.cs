using NormInterop.Collectives;

namespace NormInterop;

/// <summary>
/// A group whose ranks are threads of this process: for tests, and for models that are replicated in one program. Each rank is used by
/// one thread, and disposed of when that thread takes part no longer.
/// </summary>
public sealed class LocalCollective : Collective
{
    private LocalCollective(LocalTransport.Hub hub, int rank, TimeSpan limit)
        : base(new CollectiveSession(new LocalTransport(hub, rank), limit))
    {
    }

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
}
