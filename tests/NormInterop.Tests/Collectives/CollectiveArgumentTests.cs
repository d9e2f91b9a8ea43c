using NormInterop.Bindings;

namespace NormInterop.Tests.Collectives;

/// <summary>What a collective refuses, and what it says then.</summary>
[TestClass]
public sealed class CollectiveArgumentTests
{
    /// <summary>Sizes and limits.</summary>
    [TestMethod]
    public void Create_RefusesSizesAndLimitsOutOfRange()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => LocalCollective.Create(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => LocalCollective.Create(1025));
        foreach (TimeSpan limit in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromSeconds(-1), Timeout.InfiniteTimeSpan, TimeSpan.FromDays(25)])
        {
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => LocalCollective.Create(2, limit));
            Assert.Contains("Expected a time limit above zero, of at most 24 days.", e.Message);
        }

        Assert.AreEqual(TimeSpan.FromMinutes(5), LocalCollective.Create(2)[1].TimeLimit);
    }

    /// <summary>Lengths that do not fit are refused before anything is sent, also in a group of one.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public void AllGather_RefusesLengthsThatDoNotFit(int ranks)
    {
        LocalCollective rank = LocalCollective.Create(ranks)[0];
        foreach (int length in (int[])[0, (3 * ranks) - 1, (3 * ranks) + 1])
        {
            var e = Assert.ThrowsExactly<ArgumentException>(() => rank.AllGather(new double[3], new double[length]));
            Assert.Contains($"gathered has {length} elements; expected {3 * ranks}: 3 values for each of {ranks} ranks.", e.Message);
        }

        Assert.ThrowsExactly<ArgumentNullException>(() => rank.AllReduce(new double[1], null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => rank.Barrier(null!));
        Assert.AreEqual(default, rank.Traffic);
    }

    /// <summary>After its end a rank takes part no longer; a second end is none.</summary>
    [TestMethod]
    public void DisposedRank_RefusesOperations()
    {
        LocalCollective rank = LocalCollective.Create(2)[0];
        rank.Dispose();
        rank.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => rank.Barrier());
    }

    /// <summary>Two threads cannot be one rank.</summary>
    [TestMethod]
    public void RankInUse_IsRefusedToAnotherThread()
    {
        IReadOnlyList<LocalCollective> group = LocalCollective.Create(2, TimeSpan.FromSeconds(30));
        Thread first = new(() => group[0].Barrier());
        first.Start();

        // In the operation for sure: a thread that only begins may wait for a moment, but not for so many.
        for (int waits = 0; waits < 20; waits = first.ThreadState == ThreadState.WaitSleepJoin ? waits + 1 : 0)
            Thread.Sleep(10);
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => group[0].AllReduce(Array.Empty<double>()));
        Assert.Contains("Two threads use one rank of a collective at the same time", e.Message);
        group[1].Barrier();
        first.Join();
    }

    /// <summary>What a user reads who has no MPI: what is missing, where it was sought, and what to install.</summary>
    [TestMethod]
    public void MissingLibrary_SaysWhatToInstall()
    {
        string nowhere = Path.Combine(Path.GetTempPath(), $"norminterop-{Guid.NewGuid():N}");
        var e = Assert.ThrowsExactly<DllNotFoundException>(() => NativeLibraryResolver.Mpi.Locate(null, [nowhere], searchSystem: false));
        Assert.Contains("The library for MPI of NormInterop cannot be loaded.", e.Message);
        Assert.Contains(Path.Combine(nowhere, NativeLibraryResolver.Mpi.FileName), e.Message);
        Assert.Contains("apt-get install openmpi-bin libopenmpi-dev", e.Message);
        Assert.Contains("NORMINTEROP_MPI_LIBRARY", e.Message);
    }

    /// <summary>The names of operations are compared, as far as there is room for them, whatever their characters.</summary>
    [TestMethod]
    public void Names_AreCompared()
    {
        Exception?[] thrown = RankThreads.Try(2, RankThreads.Ample, rank =>
        {
            string longName = new('ä', 100);
            rank.Barrier(longName);
            rank.Barrier(rank.Rank == 0 ? "Zürich" : "Zurich");
        });
        foreach (Exception? e in thrown)
        {
            var failure = (CollectiveException)e!;
            Assert.AreEqual(CollectiveFailure.Mismatch, failure.Failure);
            CollectionAssert.AreEqual(new[] { 1 }, failure.Ranks.ToArray());
            Assert.Contains("called 'Zurich', barrier, number 2, where rank 0", failure.Message);
        }
    }
}
