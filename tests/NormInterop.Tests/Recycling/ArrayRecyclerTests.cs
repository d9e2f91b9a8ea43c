using System.Runtime.CompilerServices;
using NormInterop.Recycling;

namespace NormInterop.Tests.Recycling;

/// <summary>Recyclers of the tests' own, whose arrays nobody else takes.</summary>
[TestClass]
public sealed class ArrayRecyclerTests
{
    private const int Length = 100_000;
    private const long NoLimit = long.MaxValue;

    private static readonly int Capacity = ArrayRecycler.Capacity(Length);

    /// <summary>What is in a new array tells which one it is: nobody clears it.</summary>
    [TestMethod]
    public void DroppedArrays_ComeBack_OneByOne()
    {
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        Drop(recycler, count: 3);
        Assert.AreEqual(3L * Capacity * sizeof(int), recycler.IdleBytes);
        int[][] taken = [.. Enumerable.Range(0, 3).Select(_ => recycler.Take<int>(Length))];
        Assert.AreEqual(0, recycler.IdleBytes);
        CollectionAssert.AreEquivalent(new[] { 1, 2, 3 }, Array.ConvertAll(taken, array => array[^1]));
    }

    /// <summary>The same array again and again, each time watched anew.</summary>
    [TestMethod]
    public void AnArray_ComesBackManyTimes()
    {
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        Drop(recycler, count: 1);
        for (int i = 0; i < 20; i++)
        {
            Assert.AreEqual(1, TakeAndDrop(recycler));
            Assert.AreEqual(0, recycler.IdleBytes, "an array that is not known to be dropped");
            Collector.Run();
            Assert.AreEqual((long)Capacity * sizeof(int), recycler.IdleBytes);
        }
    }

    [TestMethod]
    public void TypesAndSizes_KeepTheirArrays()
    {
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        Drop(recycler, count: 1);
        Assert.IsNotEmpty(recycler.Take<float>(Length));
        Assert.IsNotEmpty(recycler.Take<int>(Capacity + 1));
        Assert.AreEqual((long)Capacity * sizeof(int), recycler.IdleBytes, "the array is still there");
        Assert.AreEqual(1, recycler.Take<int>(Capacity)[^1]);
    }

    [TestMethod]
    public void SmallArrays_AreNotRecycled()
    {
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        int small = (ArrayRecycler.LeastBytes / sizeof(int)) - 5000;
        Assert.HasCount(small, recycler.Take<int>(small));
        Collector.Run();
        Assert.AreEqual(0, recycler.IdleBytes);
    }

    [TestMethod]
    public void NoLimit_NoRecycling()
    {
        ArrayRecycler recycler = new(new ManualClock(), limit: 0);
        Drop(recycler, count: 2);
        Assert.AreEqual(0, recycler.IdleBytes);
    }

    [TestMethod]
    public void Limit_DropsTheOldest()
    {
        ManualClock clock = new();
        ArrayRecycler recycler = new(clock, NoLimit);
        int[]?[] arrays = Mark(recycler, count: 4);
        for (int i = 0; i < arrays.Length; i++)
        {
            arrays[i] = null;
            Collector.Run();
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        recycler.Limit = 2L * Capacity * sizeof(int);
        Assert.AreEqual(recycler.Limit, recycler.IdleBytes);
        int[][] taken = [recycler.Take<int>(Length), recycler.Take<int>(Length)];
        CollectionAssert.AreEquivalent(new[] { 3, 4 }, Array.ConvertAll(taken, array => array[^1]));
    }

    /// <summary>Arrays that come home when there is no more room.</summary>
    [TestMethod]
    public void Limit_HoldsForWhatComesHome()
    {
        ArrayRecycler recycler = new(new ManualClock(), limit: 2L * Capacity * sizeof(int));
        Drop(recycler, count: 5);
        Assert.AreEqual(recycler.Limit, recycler.IdleBytes);
    }

    [TestMethod]
    public void ArraysThatNobodyWants_AreDropped()
    {
        ManualClock clock = new();
        ArrayRecycler recycler = new(clock, NoLimit);
        Drop(recycler, count: 2);
        clock.Advance(ArrayRecycler.IdleTime);
        Collector.Run();
        Assert.AreEqual(2L * Capacity * sizeof(int), recycler.IdleBytes);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Collector.Run();
        Assert.AreEqual(0, recycler.IdleBytes);
    }

    [TestMethod]
    public void Release_LeavesAllToTheCollector()
    {
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        WeakReference[] arrays = Watch(recycler, count: 3);
        Collector.Run();
        Assert.IsTrue(arrays.All(array => array.IsAlive), "kept by the recycler");
        recycler.Release();
        Assert.AreEqual(0, recycler.IdleBytes);
        Collector.Run();
        Assert.IsFalse(arrays.Any(array => array.IsAlive), "kept by nobody");
        GC.KeepAlive(recycler);
    }

    /// <summary>A recycler that nobody has any more does not live on through its arrays or its signal.</summary>
    [TestMethod]
    public void Recyclers_AreCollected()
    {
        WeakReference recycler = Abandoned();
        Collector.Run();
        Assert.IsFalse(recycler.IsAlive);
    }

    /// <summary>More bytes than an int can count. Its pages are not touched, and so take no memory.</summary>
    [TestMethod]
    public void HugeArrays_AreRecycled()
    {
        if (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes < 8L << 30)
            Assert.Inconclusive("needs room for 2 GiB");
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        Assert.IsGreaterThanOrEqualTo((1 << 28) + 1, TakeHuge(recycler));
        Collector.Run();
        Assert.IsGreaterThan(int.MaxValue, recycler.IdleBytes);
        recycler.Release();
        Collector.Run();
    }

    /// <summary>Ever-changing sizes: what is kept stays below the limit, and everything else is the collector's.</summary>
    [TestMethod]
    public void ChangingLengths_StayBounded()
    {
        ArrayRecycler recycler = new(TimeProvider.System, limit: 20_000_000);
        Collector.Run();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        System.Random random = new(1);
        for (int i = 0; i < 3000; i++)
        {
            recycler.Take<int>(random.Next(20_000, 2_000_000))[0] = i;
            Assert.IsLessThanOrEqualTo(recycler.Limit, recycler.IdleBytes);
        }

        Collector.Run();
        Assert.IsLessThanOrEqualTo(recycler.Limit, recycler.IdleBytes);
        Assert.IsLessThan(2 * recycler.Limit, GC.GetTotalMemory(forceFullCollection: true) - before);
        GC.KeepAlive(recycler);
    }

    /// <summary>An array holds what it is for, wastes an eighth at most, and few sizes serve many lengths.</summary>
    [TestMethod]
    public void Capacity_IsEnoughAndNotTooMuch()
    {
        System.Random random = new(1);
        foreach (int length in Enumerable.Range(1, 70_000).Concat(Enumerable.Range(0, 10_000).Select(_ => random.Next(1, Array.MaxLength))))
        {
            int capacity = ArrayRecycler.Capacity(length);
            Assert.IsGreaterThanOrEqualTo(length, capacity);
            Assert.IsLessThanOrEqualTo(length * 9L / 8, (long)capacity, $"{length}");
            Assert.AreEqual(capacity, ArrayRecycler.Capacity(capacity), "of itself");
        }

        Assert.AreEqual(8, Enumerable.Range((1 << 20) + 1, 1 << 20).Select(ArrayRecycler.Capacity).Distinct().Count());
        Assert.AreEqual(Array.MaxLength, ArrayRecycler.Capacity(Array.MaxLength));
    }

    // Takes arrays, forgets them, and runs the collector. In methods of their own: a caller's stack can lead to an array for longer than
    // its variables do.
    private static void Drop(ArrayRecycler recycler, int count)
    {
        Mark(recycler, count);
        Collector.Run();
    }

    /// <summary>Arrays with their numbers, from 1 on, at their ends.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int[][] Mark(ArrayRecycler recycler, int count)
    {
        int[][] arrays = [.. Enumerable.Range(0, count).Select(_ => recycler.Take<int>(Length))];
        for (int i = 0; i < count; i++)
            arrays[i][^1] = i + 1;
        return arrays;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Watch(ArrayRecycler recycler, int count) =>
        Array.ConvertAll(Mark(recycler, count), array => new WeakReference(array, trackResurrection: true));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int TakeAndDrop(ArrayRecycler recycler) => recycler.Take<int>(Length)[^1];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int TakeHuge(ArrayRecycler recycler) => recycler.Take<long>((1 << 28) + 1).Length;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Abandoned()
    {
        ArrayRecycler recycler = new(new ManualClock(), NoLimit);
        Mark(recycler, count: 2);
        return new WeakReference(recycler);
    }
}
