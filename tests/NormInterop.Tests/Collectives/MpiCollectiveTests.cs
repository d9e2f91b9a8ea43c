using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>Ranks that are processes: results.</summary>
[TestClass]
[TestCategory(Category.Once)]
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

    /// <summary>Processes that another MPI's launcher has started do not know of each other: that must not go for a group of one.</summary>
    [TestMethod]
    public void LauncherOfAnotherMpi_IsNoticed()
    {
        MpiJob.Require();
        MpiJob.Outcome outcome = MpiJob.Start("env", ["PMI_SIZE=4", .. MpiJob.Program(["operations"])]);
        Assert.Contains("A launcher has started 4 processes (PMI_SIZE), but this one is the only one of its MPI", outcome.Text);
    }

    /// <summary>A rank dies when all operations are over: the others end nevertheless.</summary>
    [TestMethod]
    public void DeathAfterTheLastOperation_LetsTheOthersEnd()
    {
        MpiJob.Outcome outcome = MpiJob.Run(3, ["--enable-recovery"], [RankProgram.Depart]);
        foreach (int r in (int[])[0, 2])
            CollectionAssert.AreEqual(new[] { "done", "exit" }, outcome.Of(r), outcome.Text);
        Assert.IsTrue(outcome.Duration < RankThreads.Ample / 2, $"{outcome.Duration}");
    }

    /// <summary>A program that uses MPI itself initializes and finalizes it; this library does neither then.</summary>
    [TestMethod]
    public void MpiOfTheProgram_IsJoined()
    {
        MpiJob.Outcome outcome = MpiJob.Run(3, "join", "any");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < 3; r++)
            Assert.AreEqual("sum 3", outcome.Of(r).Single(), outcome.Text);
        Assert.HasCount(3, outcome.Lines.Where(l => l == "finalized 0"), outcome.Text);
        Assert.HasCount(3, outcome.Lines.Where(l => l == "finalize 0"), outcome.Text);
    }

    /// <summary>An MPI that was initialized for one thread is used by that thread only.</summary>
    [TestMethod]
    public void MpiForOneThread_IsRefusedToOthers()
    {
        MpiJob.Outcome outcome = MpiJob.Run(2, "join", "one");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        Assert.HasCount(2, outcome.Lines.Where(l => l == "sum 2"), outcome.Text);
        const string refused = "MPI was initialized for its main thread only";
        Assert.HasCount(1, outcome.Lines.Where(l => l.StartsWith(refused, StringComparison.Ordinal)), outcome.Text);
    }

    /// <summary>An MPI that has come to its end cannot be used.</summary>
    [TestMethod]
    public void MpiThatIsFinalized_IsRefused()
    {
        MpiJob.Outcome outcome = MpiJob.Run(1, "join", "too late");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        Assert.Contains("MPI is finalized, and cannot be started twice in a process", outcome.Text);
    }

    /// <summary>A rank does not come to the making of the group: the others do not wait for ever.</summary>
    [TestMethod]
    [DataRow(RankProgram.LateToMpi)]
    [DataRow(RankProgram.LateToTheGroup)]
    public void World_DoesNotWaitForEver(string late)
    {
        MpiJob.Outcome outcome = MpiJob.Run(3, ["--enable-recovery"], [RankProgram.Late, late]);
        foreach (int r in (int[])[0, 2])
            CollectionAssert.AreEqual(new[] { "Missing in time" }, outcome.Of(r), outcome.Text);
    }

    /// <summary>Two hundred steps of the sample end with the same parameters on all ranks, to the bit, or it fails.</summary>
    [TestMethod]
    public void Sample_EndsWithTheSameParametersOnAllRanks()
    {
        string folder = Path.Combine(Repository.Root, "managed", "samples", "DataParallel", "bin", "Release", "net10.0");
        string program = Path.Combine(folder, "NormInterop.Samples.DataParallel.dll");
        MpiJob.Outcome outcome = MpiJob.RunProgram(4, program, "--sync", "--seeds", "1");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        Assert.Contains("Parameters identical on all ranks: yes", outcome.Text);
        Assert.Contains("200 steps", outcome.Text);
    }

    private static void AssertAllSay(int ranks, string scenario, string expected)
    {
        MpiJob.Outcome outcome = MpiJob.Run(ranks, scenario);
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < ranks; r++)
            CollectionAssert.AreEqual(new[] { expected }, outcome.Of(r), $"rank {r}: {outcome.Text}");
    }
}
