namespace NormInterop.Tests.Collectives;

/// <summary>Ranks that are processes: results.</summary>
[TestClass]
public sealed class MpiCollectiveTests
{
    /// <summary>As with threads: <see cref="LocalCollectiveTests"/>.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    [DataRow(5)]
    public void Operations_AgreeWithTheirDefinition(int ranks) => AssertAllSay(ranks, "operations", "sums and gathers agree");

    /// <summary>y, dx, running buffers and gradients are those of one process with the whole batch.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    public void SyncBatchNorm_OnShards_IsBatchNormOnTheWhole(int ranks)
    {
        int comparisons = 2 * SyncComparison.All(ranks, 0).Count();
        AssertAllSay(ranks, "comparison", $"{comparisons} comparisons");
    }

    private static void AssertAllSay(int ranks, string scenario, string expected)
    {
        MpiJob.Outcome outcome = MpiJob.Run(ranks, scenario);
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < ranks; r++)
            CollectionAssert.AreEqual(new[] { expected }, outcome.Of(r), $"rank {r}: {outcome.Text}");
    }
}
