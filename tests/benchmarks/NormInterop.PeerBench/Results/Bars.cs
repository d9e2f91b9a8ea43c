using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Results;

/// <summary>What the library holds itself to.</summary>
internal static class Bars
{
    /// <summary>Against the faster peer, on float.</summary>
    public const double Peer = 1;

    /// <summary>Types of 16 bits against float, on cases larger than the cache.</summary>
    public const double HalfOfFloat = 1.6;

    /// <summary>Of the limit's speed, on float; null where there is no such bar.</summary>
    public static double? OfLimit(Case entry, SizeClass size)
    {
        const double Cached = 0.5;
        const double TwoPasses = 0.75;
        const double OnePass = 0.85;
        if (entry.DataType != DataType.Float || size == SizeClass.Small)
            return null;
        if (size == SizeClass.Cached)
            return Cached;

        // A forward of BatchNorm in training reads everything before it writes anything, and a backward has two tensors to read.
        bool two = entry.Pass.IsBackward() || (entry.Family == Family.BatchNorm && entry.Pass == Pass.Forward);
        return two ? TwoPasses : OnePass;
    }
}
