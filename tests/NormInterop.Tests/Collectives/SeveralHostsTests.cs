using System.Globalization;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>
/// Several hosts: network namespaces of this machine, each with its own name and address, between which MPI has nothing but TCP
/// (tests/mpi/hosts.sh). There, operations run on a thread of their own.
/// </summary>
[TestClass]
[TestCategory(Category.Once)]
public sealed class SeveralHostsTests
{
    private const int CannotRun = 77;

    /// <summary>A SyncBatchNorm over hosts is a BatchNorm on the whole batch, and its messages do cross the network.</summary>
    [TestMethod]
    [DataRow(2, 2)]
    [DataRow(3, 1)]
    public void SyncBatchNorm_OverHosts_IsBatchNormOnTheWhole(int hosts, int ranksOfEach)
    {
        int ranks = hosts * ranksOfEach;
        MpiJob.Outcome outcome = Run(hosts, ranksOfEach, "comparison");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < ranks; r++)
            Assert.AreEqual($"{2 * SyncComparison.All(ranks, 0).Count()} comparisons", outcome.Of(r).Single(), outcome.Text);
        string between = outcome.Lines.Last(l => l.StartsWith("hosts: ", StringComparison.Ordinal)).Split(' ')[1];
        Assert.IsGreaterThan(1_000_000L, long.Parse(between, CultureInfo.InvariantCulture), "bytes between the hosts");
    }

    /// <summary>Sums and gathers of all lengths, and groups within groups, some of which are on one host.</summary>
    [TestMethod]
    public void Operations_OverHosts_AgreeWithTheirDefinition()
    {
        MpiJob.Outcome outcome = Run(3, 1, "operations");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < 3; r++)
            Assert.AreEqual("sums and gathers agree", outcome.Of(r).Single(), outcome.Text);
        outcome = Run(2, 2, "split");
        Assert.AreEqual(0, outcome.ExitCode, outcome.Text);
        for (int r = 0; r < 4; r++)
            Assert.HasCount(1, outcome.Of(r), outcome.Text);
    }

    /// <summary>Faults, seen from the same host and from the other one.</summary>
    [TestMethod]
    [DataRow(RankFaults.Kill, RankFaults.Forward, "Missing 1 in SyncBatchNorm 1 forward", "Missing 1 in barrier")]
    [DataRow(RankFaults.Kill, RankFaults.Backward, "Missing 1 in SyncBatchNorm 1 backward", "Missing 1 in barrier")]
    [DataRow(RankFaults.Stall, RankFaults.Backward, "Missing 1 in SyncBatchNorm 1 backward", "Missing 1 in barrier")]
    [DataRow(RankFaults.Channels, RankFaults.Forward, "Mismatch 1 in SyncBatchNorm 1 forward", "works")]
    public void Faults_AreToldOverHosts(string fault, string place, string told, string then)
    {
        MpiJob.Outcome outcome = Run(2, 2, RankProgram.FaultCommand, fault, place);
        foreach (int r in (int[])[0, 2, 3])
            CollectiveFaultTests.AssertTold(outcome.Of(r), told, then, $"{fault} in {place}, rank {r}: {outcome.Text}");
    }

    private static MpiJob.Outcome Run(int hosts, int ranksOfEach, params string[] arguments)
    {
        MpiJob.Require();
        string script = Path.Combine(Repository.Root, "tests", "mpi", "hosts.sh");
        MpiJob.Outcome outcome = MpiJob.Start(
            "env",
            [
                "HOSTS_TIMEOUT=90", "bash", script, $"{hosts}", $"{ranksOfEach}", "--enable-recovery", "--",
                .. MpiJob.Program(arguments),
            ]);
        if (outcome.ExitCode == CannotRun)
            Assert.Inconclusive(outcome.Text);
        return outcome;
    }
}
