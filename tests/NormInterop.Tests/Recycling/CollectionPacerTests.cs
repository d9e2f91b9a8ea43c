using NormInterop.Recycling;

namespace NormInterop.Tests.Recycling;

/// <summary>When collections are asked for, and when not.</summary>
[TestClass]
public sealed class CollectionPacerTests
{
    private const long Megabyte = 1_000_000;

    /// <summary>More than any collection needs that takes no time.</summary>
    private const long Enough = 5 * Megabyte;

    private readonly ManualClock _clock = new();
    private readonly CollectionPacer _pacer;

    /// <summary>Fresh memory comes at 8 GB/s here, 8 MB in a millisecond.</summary>
    public CollectionPacerTests()
    {
        _pacer = new CollectionPacer(_clock);
        _pacer.Fresh(1 / 8e6);
    }

    [TestMethod]
    public void LittleHandedOut_LittleToFind()
    {
        Assert.IsFalse(_pacer.Request(bytesInUse: 0));
        _pacer.HandedOut(Megabyte);
        Assert.IsFalse(_pacer.Request(bytesInUse: Megabyte));
    }

    [TestMethod]
    public void OneRequestAtATime()
    {
        _pacer.HandedOut(Enough);
        Assert.IsTrue(_pacer.Request(Enough));
        Assert.IsTrue(_pacer.IsPending);
        _pacer.HandedOut(Enough);
        Assert.IsFalse(_pacer.Request(Enough));
        _pacer.Finished();
        Assert.IsFalse(_pacer.IsPending);
        Assert.IsTrue(_pacer.Request(Enough));
    }

    /// <summary>The collector may not do what it is asked: that must not end all recycling.</summary>
    [TestMethod]
    public void ARefusedRequest_CanBeMadeAgain()
    {
        _pacer.HandedOut(Enough);
        Assert.IsTrue(_pacer.Request(Enough));
        _pacer.HandedOut(Enough);
        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.IsFalse(_pacer.Request(2 * Enough));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.IsTrue(_pacer.Request(2 * Enough));
    }

    /// <summary>A collection of a millisecond is worth its time for the 64 MB that fresh memory takes eight for.</summary>
    [TestMethod]
    public void Requests_MustBeWorthTheirTime()
    {
        Collect(TimeSpan.FromMilliseconds(1));
        _pacer.HandedOut(63 * Megabyte);
        Assert.IsFalse(_pacer.Request(63 * Megabyte));
        _pacer.HandedOut(Megabyte);
        Assert.IsTrue(_pacer.Request(64 * Megabyte));
    }

    /// <summary>Where fresh memory costs more, a collection is worth its time earlier. Single prices count in part.</summary>
    [TestMethod]
    public void ThePriceOfFreshMemory_Counts()
    {
        Collect(TimeSpan.FromMilliseconds(1));
        _pacer.Fresh(5 / 8e6);
        _pacer.HandedOut(31 * Megabyte);
        Assert.IsFalse(_pacer.Request(31 * Megabyte));
        _pacer.HandedOut(Megabyte);
        Assert.IsTrue(_pacer.Request(32 * Megabyte), "twice the price");
    }

    /// <summary>One collection that took long says little; several do.</summary>
    [TestMethod]
    public void LongCollections_AreBelievedStepByStep()
    {
        Collect(TimeSpan.FromMilliseconds(1));
        Collect(TimeSpan.FromMilliseconds(100), handedOut: 64 * Megabyte);
        Collect(TimeSpan.FromMilliseconds(100), handedOut: 128 * Megabyte);
        _pacer.HandedOut(255 * Megabyte);
        Assert.IsFalse(_pacer.Request(255 * Megabyte));
        _pacer.HandedOut(Megabyte);
        Assert.IsTrue(_pacer.Request(256 * Megabyte));
    }

    /// <summary>The time that the collector itself has taken counts, not the time until its finalizers have run.</summary>
    [TestMethod]
    public void TimedCollections_CountAsTimed()
    {
        _pacer.HandedOut(Enough);
        Assert.IsTrue(_pacer.Request(Enough));
        _pacer.Timed(TimeSpan.FromMilliseconds(0.01));
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        _pacer.Finished();
        _pacer.HandedOut(Enough);
        Assert.IsTrue(_pacer.Request(Enough));
    }

    /// <summary>A program that keeps everything: about one request for every doubling of what it keeps.</summary>
    [TestMethod]
    public void KeepingEverything_MakesRequestsRare()
    {
        int requests = 0;
        for (int kept = 0; kept < 10_000; kept++)
        {
            if (_pacer.Request(kept * Megabyte))
            {
                requests++;
                _pacer.Finished();
            }

            _pacer.HandedOut(Megabyte);
        }

        Assert.IsInRange(5, 15, requests);
    }

    /// <summary>A program that drops everything: a request whenever nothing is left.</summary>
    [TestMethod]
    public void DroppingEverything_IsServed()
    {
        for (int i = 0; i < 100; i++)
        {
            _pacer.HandedOut(2 * Enough);
            Assert.IsTrue(_pacer.Request(bytesInUse: 2 * Enough));
            _pacer.Finished();
        }
    }

    /// <summary>Nobody waits without a collection, or longer than fresh memory takes.</summary>
    [TestMethod]
    public void Patience_IsThatOfFreshMemory()
    {
        Assert.AreEqual(0, _pacer.Patience(100 * Megabyte));
        _pacer.HandedOut(Enough);
        Assert.IsTrue(_pacer.Request(Enough));
        Assert.AreEqual(12, _pacer.Patience(100 * Megabyte));
        Assert.AreEqual(0, _pacer.Patience(Megabyte));
        _clock.Advance(TimeSpan.FromMilliseconds(5));
        _pacer.Finished();
        Assert.AreEqual(0, _pacer.Patience(100 * Megabyte));
        _pacer.HandedOut(400 * Megabyte);
        Assert.IsTrue(_pacer.Request(400 * Megabyte));
        Assert.AreEqual(12, _pacer.Patience(100 * Megabyte));
        Assert.AreEqual(0, _pacer.Patience(39 * Megabyte), "collections take 5 ms here, fresh memory of that size does not");
    }

    private void Collect(TimeSpan duration, long handedOut = Enough)
    {
        _pacer.HandedOut(handedOut);
        Assert.IsTrue(_pacer.Request(handedOut));
        _clock.Advance(duration);
        _pacer.Finished();
    }
}
