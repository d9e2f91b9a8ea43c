using System.Globalization;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>
/// What ranks do in tests, threads and processes alike. What they return is written, and read by the test that has started them.
/// </summary>
internal static class RankScenarios
{
    /// <summary>A SyncBatchNorm on shards is a BatchNorm on all of them.</summary>
    internal static IEnumerable<string> Comparison(ICollective group)
    {
        int compared = 0;
        foreach (SyncComparison comparison in SyncComparison.All(group.WorldSize, 1e-6))
            Count(comparison.Run<float, float>);
        foreach (SyncComparison comparison in SyncComparison.All(group.WorldSize, 1e-13))
            Count(comparison.Run<double, double>);
        yield return $"{compared} comparisons";

        void Count(Action<ICollective> run)
        {
            run(group);
            compared++;
        }
    }

    /// <summary>Sums and gathers of lengths around those where the way they are taken changes.</summary>
    internal static IEnumerable<string> Operations(ICollective group)
    {
        foreach (int length in (int[])[0, 1, 2, 3, 511, 512, 513, 8191, 8192, 8193, 16383, 16384, 16385, 100_003])
        {
            AssertSums<double>(group, length, group.AllReduce, 0);
            AssertSums<float>(group, length, group.AllReduce, 1);
            AssertGather<double>(group, length, group.AllGather);
            AssertGather<float>(group, length, group.AllGather);
            group.Barrier("between lengths");
        }

        yield return "sums and gathers agree";
    }

    /// <summary>Groups within groups: every rank sums with the right ones, and the groups' messages do not meet.</summary>
    internal static IEnumerable<string> Split(MpiCollective world)
    {
        using MpiCollective parity = world.Split(world.Rank % 2);
        using MpiCollective reversed = world.Split(0, -world.Rank);
        using MpiCollective pair = parity.Split(parity.Rank / 2, -parity.Rank);
        double total = 0;
        for (int i = 0; i < 3; i++)
        {
            foreach (MpiCollective group in (MpiCollective[])[pair, reversed, parity])
            {
                double[] sum = [1];
                group.AllReduce(sum);
                total += sum[0];
            }
        }

        string places = string.Join(", ", new[] { parity, reversed, pair }.Select(g => $"{g.Rank} of {g.WorldSize}"));
        yield return string.Create(CultureInfo.InvariantCulture, $"{places}, {total}");
    }

    /// <summary>
    /// What a runtime makes of signals is still so when MPI is there: a null reference is an exception, children are waited for.
    /// </summary>
    internal static IEnumerable<string> Signals(ICollective group)
    {
        string? nothing = group.Rank < 0 ? "" : null;
        int caught = 0;
        try
        {
            caught = nothing!.Length;
        }
        catch (NullReferenceException)
        {
            caught = 1;
        }

        using System.Diagnostics.Process child = System.Diagnostics.Process.Start("true");
        child.WaitForExit();
        group.Barrier();
        yield return $"caught {caught}, child {child.ExitCode}";
    }

    private delegate void Reduce<T>(Span<T> values, string operation);

    private delegate void Gather<T>(ReadOnlySpan<T> values, Span<T> gathered, string operation);

    private static void AssertSums<T>(ICollective group, int length, Reduce<T> reduce, ulong seed)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        // Numbers of very different sizes: their sum depends on the order in which it is taken.
        T Value(int rank, int i) =>
            T.CreateTruncating(Math.ScaleB(Values.Of(seed + (ulong)rank, 1)[0] + (0.37 * i), (rank * 7 % 5 * 10) - 20));
        T[] values = [.. Enumerable.Range(0, length).Select(i => Value(group.Rank, i))];
        T[] expected = [.. Enumerable.Range(0, length).Select(i =>
        {
            double sum = double.CreateTruncating(Value(0, i));
            for (int r = 1; r < group.WorldSize; r++)
                sum += double.CreateTruncating(Value(r, i));
            return T.CreateTruncating(sum);
        })];
        reduce(values, "sum of the test");
        CollectionAssert.AreEqual(expected, values, $"rank {group.Rank}: sum of {length} values of type {typeof(T).Name}");
    }

    private static void AssertGather<T>(ICollective group, int length, Gather<T> gather)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        T Value(int rank, int i) => T.CreateTruncating((1000.0 * rank) + i);
        T[] gathered = new T[length * group.WorldSize];
        Array.Fill(gathered, T.NaN);
        gather([.. Enumerable.Range(0, length).Select(i => Value(group.Rank, i))], gathered, "gather of the test");
        for (int i = 0; i < gathered.Length; i++)
            Assert.AreEqual(Value(i / length, i % length), gathered[i], string.Create(CultureInfo.InvariantCulture, $"element {i}"));
    }
}
