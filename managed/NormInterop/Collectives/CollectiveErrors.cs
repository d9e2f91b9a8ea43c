using System.Globalization;

namespace NormInterop.Collectives;

/// <summary>Says in words why an operation failed.</summary>
internal static class CollectiveErrors
{
    /// <summary>Ranks were missing, or have stopped, or left.</summary>
    internal static CollectiveException Of(
        CollectiveFault fault, ICollectiveTransport transport, TimeSpan limit, string operation, long sequence)
    {
        int[] ranks = [.. Enumerable.Range(0, fault.Presence.Length).Where(r => fault.Presence[r] != RankPresence.Present)];
        // Another rank may have another limit.
        string within = fault.Finder == transport.Rank
            ? string.Create(CultureInfo.InvariantCulture, $"within {limit.TotalSeconds:0.###} s")
            : "in time";
        var reasons = fault.Presence.Distinct().Where(p => p != RankPresence.Present).Select(presence =>
        {
            string who = Name([.. ranks.Where(r => fault.Presence[r] == presence)], transport.Rank);
            return presence switch
            {
                RankPresence.Missing => $"{who} did not come {within}",
                RankPresence.Silent => $"{who} came, but stopped in the middle of it",
                RankPresence.Left => $"{who} left the group",
                _ => $"what {who} had to send did not come {within}",
            };
        });
        string detail = fault.Detail.Length == 0 ? "" : $" ({fault.Detail})";
        string finder = fault.Finder == transport.Rank ? "" : $" Rank {fault.Finder} found it out.";
        string message = $"{Title(transport, operation, sequence)}: {string.Join("; ", reasons)}{detail}.{finder} "
            + "The group cannot be used any longer.";
        CollectiveFailure failure = ranks.Length == 0 ? CollectiveFailure.Unknown : fault.Presence[ranks[0]] switch
        {
            RankPresence.Missing => CollectiveFailure.Missing,
            RankPresence.Silent => CollectiveFailure.Stopped,
            RankPresence.Left => CollectiveFailure.Left,
            _ => CollectiveFailure.Slow,
        };
        return new CollectiveException(message, failure, ranks, operation);
    }

    /// <summary>A rank is in the middle of another operation than the others, and there is no going on.</summary>
    internal static CollectiveException OutOfStep(
        ICollectiveTransport transport, int rank, TimeSpan limit, string operation, long sequence)
    {
        RankPresence[] presence = new RankPresence[transport.Size];
        presence[rank] = RankPresence.Silent;
        return Of(new(presence, transport.Rank, "it sent what belongs to another operation"), transport, limit, operation, sequence);
    }

    /// <summary>
    /// Ranks have called different operations. To blame are those that differ from most; where that is undecided, from the first.
    /// </summary>
    internal static CollectiveException Mismatch(ICollectiveTransport transport, string operation, long sequence)
    {
        byte[][] headers = [.. Enumerable.Range(0, transport.Size).Select(r => HeaderOf(transport.Block(r)))];
        int[] votes = [.. headers.Select(h => headers.Count(other => h.AsSpan().SequenceEqual(other)))];
        int model = Array.IndexOf(votes, votes.Max());
        int[] ranks = [.. Enumerable.Range(0, transport.Size).Where(r => !headers[r].AsSpan().SequenceEqual(headers[model]))];
        int[] others = [.. Enumerable.Range(0, transport.Size).Except(ranks)];
        var calls = ranks.Select(r => $"{Name([r], transport.Rank)} called {CollectiveHeader.Describe(headers[r])}");
        string message = $"{Title(transport, operation, sequence)}: {string.Join("; ", calls)}, where "
            + $"{Name(others, transport.Rank)} called {CollectiveHeader.Describe(headers[model])}. All ranks must call the same operations "
            + "in the same order.";
        return new CollectiveException(message, CollectiveFailure.Mismatch, ranks, operation);
    }

    private static byte[] HeaderOf(ReadOnlySpan<byte> block) => block[..Math.Min(CollectiveHeader.Bytes, block.Length)].ToArray();

    private static string Title(ICollectiveTransport transport, string operation, long sequence)
    {
        string name = operation.Length == 0 ? "" : $" ({operation})";
        return string.Create(
            CultureInfo.InvariantCulture, $"Collective operation {sequence}{name} failed on rank {transport.Rank} of {transport.Size}");
    }

    private static string Name(int[] ranks, int self)
    {
        var names = ranks.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r}{(r == self ? " (this one)" : "")}"));
        return $"{(ranks.Length == 1 ? "rank" : "ranks")} {string.Join(", ", names)}";
    }
}
