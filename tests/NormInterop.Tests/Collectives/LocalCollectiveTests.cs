namespace NormInterop.Tests.Collectives;

/// <summary>Ranks that are threads: results.</summary>
[TestClass]
public sealed class LocalCollectiveTests
{
    /// <summary>Sums are taken in the order of the ranks, whatever their length; gathers bring everything to its place.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    [DataRow(5)]
    public void Operations_AgreeWithTheirDefinition(int ranks) =>
        RankThreads.Run(ranks, group => Assert.AreEqual("sums and gathers agree", RankScenarios.Operations(group).Single()));

    /// <summary>y, dx, running buffers and gradients are those of one process with the whole batch.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    public void SyncBatchNorm_OnShards_IsBatchNormOnTheWhole(int ranks) =>
        RankThreads.Run(ranks, group => Assert.AreEqual(1, RankScenarios.Comparison(group).Count()));
}
