using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>
/// What a rank that goes wrong does to the others: they are told which one and in which operation, within the limit, and nothing of
/// theirs has changed. By threads and by processes.
/// </summary>
[TestClass]
[TestCategory(Category.Once)]
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

    /// <summary>
    /// A sum that is taken piece by piece is one operation: ranks that differ in its length find out before anything is written, and the
    /// pieces of one do not meet those of another.
    /// </summary>
    [TestMethod]
    [DataRow((16 << 20) + 5, (16 << 20) + 6)]
    [DataRow(32 << 20, 16 << 20)]
    public void LargeSums_OfDifferentLengths_AreToldAndWriteNothing(int first, int second)
    {
        Exception?[] thrown = RankThreads.Try(2, RankThreads.Ample, rank =>
        {
            float[] values = new float[rank.Rank == 0 ? first : second];
            Array.Fill(values, 1);
            var e = Assert.ThrowsExactly<CollectiveException>(() => rank.AllReduce(values, "sum"));
            Assert.AreEqual("Mismatch 1 in sum", RankFaults.Describe(e));
            Assert.IsFalse(values.AsSpan().ContainsAnyExcept(1f), "values that were written");
        });
        RankThreads.ThrowFirst(thrown);
    }

    /// <summary>
    /// A rank that is torn out of a sum in parts, and goes on with something else, does not get its messages taken for those of the sum.
    /// </summary>
    [TestMethod]
    public void RankThatIsTornOutOfAnOperation_HasLeftTheGroup()
    {
        Exception?[] thrown = RankThreads.Try(3, RankThreads.Ample, rank =>
        {
            float[] values = new float[50_000];
            if (rank.Rank < 2)
            {
                Thread.Sleep(500);
                rank.AllReduce(values, "sum");
                return;
            }

            Thread self = Thread.CurrentThread;
            using Timer timer = new(_ => self.Interrupt(), null, 100, Timeout.Infinite);
            Assert.ThrowsExactly<ThreadInterruptedException>(() => rank.AllReduce(values, "sum"));
            var e = Assert.ThrowsExactly<CollectiveException>(() => rank.AllGather(new double[1], new double[3], "gather"));
            Assert.AreEqual(CollectiveFailure.Left, e.Failure);
        });
        Assert.IsNull(thrown[2], $"{thrown[2]}");
        foreach (int r in (int[])[0, 1])
            Assert.AreEqual("Left 2 in sum", RankFaults.Describe((CollectiveException)thrown[r]!));
    }

    /// <summary>Ranks that are processes.</summary>
    [TestMethod]
    [DynamicData(nameof(Faults))]
    public void Processes_AreTold(string fault, string place, string told, string then)
    {
        foreach (int ranks in Ranks(fault))
            AssertJobIsTold(ranks, [], fault, place, told, then);
    }

    /// <summary>A rank that is killed. The ranks that live end on their own; mpirun says nothing of it then.</summary>
    [TestMethod]
    [DataRow(RankFaults.Forward, FirstForward)]
    [DataRow(RankFaults.Backward, FirstBackward)]
    public void Processes_AreToldOfADeath(string place, string operation)
    {
        AssertJobIsTold(4, ["--enable-recovery"], RankFaults.Kill, place, $"Missing 1 in {operation}", "Missing 1 in barrier");
    }

    /// <summary>Without recovery, mpirun ends the job.</summary>
    [TestMethod]
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
