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

    /// <summary>Groups of groups, in use at the same time.</summary>
    [TestMethod]
    public void Split_MakesGroupsThatDoNotMeet()
    {
        MpiJob.Outcome outcome = MpiJob.Run(5, "split");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);

        // Ranks 0, 2 and 4 are together, 1 and 3 too; of the three, the first two are a pair, of which the second comes first.
        string[] expected =
        [
            "0 of 3, 4 of 5, 1 of 2, 30", "0 of 2, 3 of 5, 1 of 2, 27", "1 of 3, 2 of 5, 0 of 2, 30", "1 of 2, 1 of 5, 0 of 2, 27",
            "2 of 3, 0 of 5, 0 of 1, 27",
        ];
        for (int r = 0; r < expected.Length; r++)
            Assert.AreEqual(expected[r], outcome.Of(r).Single(), outcome.Text);
    }

    /// <summary>MPI's handlers of signals do not replace those of the runtime.</summary>
    [TestMethod]
    public void Signals_StayTheRuntimes() => AssertAllSay(2, "signals", "caught 1, child 0");

    /// <summary>A rank ends by an exception; the others are told at once, and all of them finalize MPI.</summary>
    [TestMethod]
    public void ExceptionThatNobodyCatches_IsToldToTheOthers_AndMpiIsFinalized()
    {
        MpiJob.Outcome outcome = MpiJob.Run(3, RankProgram.WithoutCatching);
        Assert.Contains("thrown by the scenario", outcome.Text);
        foreach (int r in (int[])[0, 2])
            CollectionAssert.AreEqual(new[] { "Left 1 in end", "exit" }, outcome.Of(r), outcome.Text);
        Assert.DoesNotContain("finalize", outcome.Text.ToLowerInvariant());
        Assert.IsTrue(outcome.Duration < RankThreads.Ample / 2, $"{outcome.Duration}");
    }

    private static void AssertAllSay(int ranks, string scenario, string expected)
    {
        MpiJob.Outcome outcome = MpiJob.Run(ranks, scenario);
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < ranks; r++)
            CollectionAssert.AreEqual(new[] { expected }, outcome.Of(r), $"rank {r}: {outcome.Text}");
    }
}
