namespace NormInterop.Collectives;

/// <summary>Where a rank was when an operation failed. The values are those of ni_mpi_presence.</summary>
internal enum RankPresence : byte
{
    Present,
    Missing,
    Silent,
    Left,
    Slow,
}

/// <summary>Why a transport cannot end an operation, nor begin another.</summary>
/// <param name="Presence">Where every rank was.</param>
/// <param name="Finder">The rank that found it out.</param>
/// <param name="Detail">More about it, or nothing.</param>
internal sealed record CollectiveFault(RankPresence[] Presence, int Finder, string Detail);

/// <summary>
/// Brings bytes from every rank of a group to every rank. It does not know what they mean; blocks may differ in length from rank to rank.
/// </summary>
internal interface ICollectiveTransport : IDisposable
{
    int Rank { get; }

    int Size { get; }

    /// <summary>The most bytes of a block, and of a part.</summary>
    int MostBytes { get; }

    /// <summary>Brings every rank's block to every rank.</summary>
    /// <returns>Null, or what has kept it from that; the same then for every operation that follows.</returns>
    CollectiveFault? Gather(ReadOnlySpan<byte> block, TimeSpan limit);

    /// <summary>
    /// Brings part r of every rank's data to rank r. Part r begins at bounds[r] and ends at bounds[r + 1]: all ranks agree on that, and
    /// have just done so by a <see cref="Gather"/>.
    /// </summary>
    /// <returns>As <see cref="Gather"/>.</returns>
    CollectiveFault? Exchange(ReadOnlySpan<byte> data, ReadOnlySpan<long> bounds, TimeSpan limit);

    /// <summary>What the last operation has brought from a rank. Until the next one.</summary>
    ReadOnlySpan<byte> Block(int rank);
}
