namespace NormInterop.Tests.Recycling;

/// <summary>The garbage collector, made to finish what it would do sooner or later.</summary>
internal static class Collector
{
    /// <summary>Full collections with their finalizers: the second finds what the first one's have let go of.</summary>
    internal static void Run()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>Afterwards nothing of earlier tests is recycled any more, or still on its way there.</summary>
    internal static void Settle()
    {
        Run();
        NormRuntime.ReleaseRecycled();
        Assert.AreEqual(0, NormRuntime.RecycledBytes);
    }
}
