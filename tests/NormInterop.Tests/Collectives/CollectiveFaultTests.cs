namespace NormInterop.Tests.Collectives;

/// <summary>
/// What a rank that goes wrong does to the others: they are told which one and in which operation, within the limit, and nothing of
/// theirs has changed. By threads and by processes.
/// </summary>
[TestClass]
public sealed class CollectiveFaultTests
{
    private const string FirstForward = "SyncBatchNorm 1 forward";
    private const string FirstBackward = "SyncBatchNorm 1 backward";

    /// <summary>Faults, and what the ranks that live say of them: of the step, and of an operation after it.</summary>
    internal static IEnumerable<object[]> Faults =>
    [
        [RankFaults.Stall, RankFaults.Forward, $"Missing 1 in {FirstForward}", "Missing 1 in barrier"],
        [RankFaults.Stall, RankFaults.Backward, $"Missing 1 in {FirstBackward}", "Missing 1 in barrier"],
        [RankFaults.Leave, RankFaults.Forward, $"Left 1 in {FirstForward}", "Left 1 in barrier"],
        [RankFaults.Leave, RankFaults.Backward, $"Left 1 in {FirstBackward}", "Left 1 in barrier"],

        // All are in step after these, and go on.
        [RankFaults.Channels, RankFaults.Forward, $"Mismatch 1 in {FirstForward}", "works"],
        [RankFaults.Order, RankFaults.Forward, $"Mismatch 1 in {FirstForward}", "works"],
        [RankFaults.Order, RankFaults.Backward, $"Mismatch 1 in {FirstBackward}", "works"],
        [RankFaults.Kind, RankFaults.Forward, $"Mismatch 1 in {FirstForward}", "works"],
        [RankFaults.Kind, RankFaults.Backward, $"Mismatch 1 in {FirstBackward}", "works"],
    ];

    /// <summary>Ranks that are threads. Processes may die as well.</summary>
    [TestMethod]
    [DynamicData(nameof(Faults))]
    public void Threads_AreTold(string fault, string place, string told, string then)
    {
        foreach (int ranks in Ranks(fault))
        {
            string[][] said = new string[ranks][];
            RankThreads.Run(ranks, RankFaults.WarmUp);
            RankThreads.ThrowFirst(RankThreads.Try(
                ranks, RankFaults.Limit, group => said[group.Rank] = [.. RankFaults.Run(group, fault, place)]));
            for (int r = 0; r < ranks; r++)
            {
                if (r != RankFaults.Culprit)
                    AssertTold(said[r], told, then, $"{fault} in {place}, rank {r} of {ranks}");
            }
        }
    }

    /// <summary>Ranks that are processes.</summary>
    [TestMethod]
    [TestCategory(MpiJob.Category)]
    [DynamicData(nameof(Faults))]
    public void Processes_AreTold(string fault, string place, string told, string then)
    {
        foreach (int ranks in Ranks(fault))
            AssertJobIsTold(ranks, [], fault, place, told, then);
    }

    /// <summary>A rank that is killed. The ranks that live end on their own; mpirun says nothing of it then.</summary>
    [TestMethod]
    [TestCategory(MpiJob.Category)]
    [DataRow(RankFaults.Forward, FirstForward)]
    [DataRow(RankFaults.Backward, FirstBackward)]
    public void Processes_AreToldOfADeath(string place, string operation)
    {
        AssertJobIsTold(4, ["--enable-recovery"], RankFaults.Kill, place, $"Missing 1 in {operation}", "Missing 1 in barrier");
    }

    /// <summary>Without recovery, mpirun ends the job.</summary>
    [TestMethod]
    [TestCategory(MpiJob.Category)]
    public void Job_EndsWithARankThatDies()
    {
        MpiJob.Outcome outcome = MpiJob.Run(4, RankProgram.FaultCommand, RankFaults.Kill, RankFaults.Forward);
        Assert.AreEqual(128 + 9, outcome.ExitCode, outcome.Text);
    }

    /// <summary>Where all wait for a rank, groups of one size have to do.</summary>
    private static int[] Ranks(string fault) => fault is RankFaults.Stall ? [4] : [2, 4];

    private static void AssertJobIsTold(int ranks, string[] options, string fault, string place, string told, string then)
    {
        MpiJob.Outcome outcome = MpiJob.Run(ranks, options, [RankProgram.FaultCommand, fault, place]);
        if (options.Length == 0)
            Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < ranks; r++)
        {
            if (r != RankFaults.Culprit)
                AssertTold(outcome.Of(r), told, then, $"{fault} in {place}, rank {r} of {ranks}: {outcome.Text}");
        }
    }

    internal static void AssertTold(string[] said, string told, string then, string name) =>
        CollectionAssert.AreEqual(new[] { told, "unchanged", "in time", $"then {then}" }, said, $"{name}: {string.Join("; ", said)}");
}
