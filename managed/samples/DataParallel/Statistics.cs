namespace NormInterop.Samples.DataParallel;

/// <summary>Over which images a BatchNorm takes mean and variance in training.</summary>
internal enum Statistics
{
    /// <summary>Those of a step on all ranks.</summary>
    Sync,

    /// <summary>Those of a step on this rank.</summary>
    Local,
}

internal static class StatisticsExtensions
{
    public static string Name(this Statistics statistics) => statistics == Statistics.Sync ? "SyncBatchNorm" : "local BatchNorm";
}
