using System.Runtime.ExceptionServices;

namespace NormInterop.Tests.Collectives;

/// <summary>A group of threads, each of which is a rank.</summary>
internal static class RankThreads
{
    internal static readonly TimeSpan Ample = TimeSpan.FromSeconds(60);

    /// <summary>Runs a body on every rank, and throws what the first rank that failed has thrown.</summary>
    internal static void Run(int ranks, Action<LocalCollective> body) => ThrowFirst(Try(ranks, Ample, body));

    /// <summary>Runs a body on every rank, and returns what each has thrown; null where it came to its end.</summary>
    internal static Exception?[] Try(int ranks, TimeSpan limit, Action<LocalCollective> body)
    {
        IReadOnlyList<LocalCollective> group = LocalCollective.Create(ranks, limit);
        var thrown = new Exception?[ranks];
        Thread[] threads = [.. group.Select(rank => new Thread(() =>
        {
            try
            {
                body(rank);
            }
            catch (Exception e)
            {
                thrown[rank.Rank] = e;
            }
            finally
            {
                rank.Dispose();
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return thrown;
    }

    internal static void ThrowFirst(Exception?[] thrown)
    {
        // A rank that fails leaves, and so the others fail as well: the cause is what is not about the group.
        Exception? first = Array.Find(thrown, e => e is not null and not CollectiveException) ?? Array.Find(thrown, e => e is not null);
        if (first is not null)
            ExceptionDispatchInfo.Throw(first);
    }
}
