using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NormInterop.Recycling;

/// <summary>
/// Memory of large outputs, which is handed out again when the collector has found that nothing in the program leads to it any more.
/// Nobody gives anything back by hand, and so nobody can give back what is still in use.
/// </summary>
/// <remarks>Fresh memory comes from the operating system page by page, each with a fault, and cleared: that takes longer than a kernel
/// that writes it. <see cref="RecycledArray"/> says why an array has one user at a time, and <see cref="CollectionPacer"/> when the
/// collector is asked to look for arrays.</remarks>
internal sealed class ArrayRecycler(TimeProvider clock, long limit)
{
    /// <summary>Where .NET's large object heap begins. Smaller arrays are recycled well enough by the collector itself.</summary>
    internal const int LeastBytes = 85_000;

    /// <summary>Capacities between two powers of two: at most an eighth of an array goes unused.</summary>
    private const int Steps = 8;

    /// <summary>Bytes of small objects that a collection goes through in about a millisecond.</summary>
    private const long FewSmallObjects = 2 << 20;

    private readonly object _gate = new();
    private readonly Dictionary<(Type Type, int Length), LinkedList<RecycledArray>> _shelves = [];
    private readonly CollectionPacer _pacer = new(clock);
    private long _limit = limit;
    private long _idleBytes;
    private long _bytesInUse;
    private bool _hasSignal;
    private bool _isScarce;

    /// <summary>The recycler of all outputs. At first it keeps a quarter of the memory that the process may use.</summary>
    internal static ArrayRecycler Shared { get; } = new(TimeProvider.System, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>An array that nobody has asked for in this time is dropped.</summary>
    internal static TimeSpan IdleTime { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of the arrays that wait for their next use.</summary>
    internal long IdleBytes
    {
        get
        {
            lock (_gate)
                return _idleBytes;
        }
    }

    /// <summary>The most that <see cref="IdleBytes"/> may be; 0 for no recycling.</summary>
    internal long Limit
    {
        get => Volatile.Read(ref _limit);
        set
        {
            lock (_gate)
            {
                _limit = value;
                Trim();
            }
        }
    }

    /// <summary>The length of the arrays that serve a length: few enough that inputs of varying lengths find those of others.</summary>
    internal static int Capacity(int length)
    {
        int step = Math.Max((1 << BitOperations.Log2((uint)length)) / Steps, 1);
        return (int)Math.Min(((long)length + step - 1) / step * step, Array.MaxLength);
    }

    /// <summary>An array of at least this length. Its elements are whatever they are.</summary>
    internal T[] Take<T>(int length)
        where T : unmanaged
    {
        int capacity = Capacity(length);
        long bytes = (long)capacity * Unsafe.SizeOf<T>();
        if (bytes < LeastBytes || bytes > Limit || Volatile.Read(ref _isScarce))
            return Allocate<T>(length);
        lock (_gate)
        {
            if (TryTake(capacity, out T[]? array))
                return array;
        }

        bool found = RequestCollection();
        lock (_gate)
        {
            int patience = _pacer.Patience(bytes);
            if (TryAwait(capacity, found ? Math.Max(patience, 1) : patience, out T[]? array))
                return array;
        }

        return Make<T>(capacity, bytes);
    }

    /// <summary>An array that nothing leads to any more. Called by the finalizer of its shadow.</summary>
    internal void Return(RecycledArray array)
    {
        lock (_gate)
        {
            _bytesInUse -= array.Bytes;
            array.IdleSince = clock.GetTimestamp();
            if (!_shelves.TryGetValue(array.Kind, out LinkedList<RecycledArray>? shelf))
                _shelves.Add(array.Kind, shelf = []);
            shelf.AddLast(array);
            _idleBytes += array.Bytes;
            Trim();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The collector has been at work. Called by a finalizer.</summary>
    internal void AfterCollection()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo(GCKind.Any);
        lock (_gate)
        {
            _isScarce = memory.MemoryLoadBytes >= memory.HighMemoryLoadThresholdBytes
                || memory.TotalCommittedBytes >= memory.TotalAvailableMemoryBytes / 4 * 3;
            _pacer.Finished();
            Trim();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Leaves all arrays that wait to the collector.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            while (_shelves.Count > 0)
                Drop(Oldest());
        }
    }

    private bool TryTake<T>(int capacity, [NotNullWhen(true)] out T[]? array)
        where T : unmanaged
    {
        if (!_shelves.TryGetValue((typeof(T[]), capacity), out LinkedList<RecycledArray>? shelf))
        {
            array = null;
            return false;
        }

        RecycledArray shadow = TakeFrom(shelf, shelf.Last!);
        array = (T[])shadow.Array;
        HandedOut(shadow.Bytes);
        shadow.Watch();
        return true;
    }

    /// <summary>Waits for what a collection brings, for this many milliseconds at most.</summary>
    private bool TryAwait<T>(int capacity, int patience, [NotNullWhen(true)] out T[]? array)
        where T : unmanaged
    {
        long start = Environment.TickCount64;
        while (!TryTake(capacity, out array))
        {
            int left = patience - (int)(Environment.TickCount64 - start);
            if (left <= 0)
                return false;

            // The finalizers of one collection run in any order: those of arrays may follow the one that reports its end.
            if (!_pacer.IsPending)
                patience = left = 1;
            Monitor.Wait(_gate, left);
        }

        return true;
    }

    /// <summary>
    /// Asks the collector to look, unless it is too early or the program has told it to stay away. Not under the lock, which finalizers
    /// want.
    /// </summary>
    /// <returns>Whether it has looked: what it has found, finalizers are bringing.</returns>
    private bool RequestCollection()
    {
        if (GCSettings.LatencyMode is GCLatencyMode.LowLatency or GCLatencyMode.NoGCRegion)
            return false;
        lock (_gate)
        {
            if (!_pacer.Request(_bytesInUse))
                return false;
        }

        bool brief = HasFewSmallObjects();
        long start = clock.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: brief);
        if (!brief)
            return false;
        TimeSpan duration = clock.GetElapsedTime(start);
        lock (_gate)
            _pacer.Timed(duration);
        return true;
    }

    /// <summary>Whether a collection that stops all threads is over before one in the background is under way.</summary>
    private static bool HasFewSmallObjects()
    {
        GCMemoryInfo last = GC.GetGCMemoryInfo(GCKind.Any);
        long bytes = 0;
        foreach (GCGenerationInfo generation in last.GenerationInfo[..(GC.MaxGeneration + 1)])
            bytes += generation.SizeAfterBytes;
        return last.Index > 0 && bytes <= FewSmallObjects;
    }

    private T[] Make<T>(int capacity, long bytes)
        where T : unmanaged
    {
        T[] array = Allocate<T>(capacity);
        double price = FreshMillisecondsPerByte(array);
        lock (_gate)
        {
            _pacer.Fresh(price);
            HandedOut(bytes);
        }

        _ = new RecycledArray(this, array, bytes);
        return array;
    }

    /// <summary>A new array. Where there is no room for it, what waits here or is on its way here has to make room.</summary>
    private T[] Allocate<T>(int capacity)
        where T : unmanaged
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return GC.AllocateUninitializedArray<T>(capacity);
            }
            catch (OutOfMemoryException) when (attempt < 3 && Limit > 0)
            {
                MakeRoom();
            }
        }
    }

    /// <summary>Drops everything, and gives finalizers the time to come with what else there is to drop.</summary>
    private void MakeRoom()
    {
        lock (_gate)
        {
            _isScarce = true;
            Trim();
            Listen();
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        lock (_gate)
            Monitor.Wait(_gate, 50);
    }

    /// <summary>
    /// What the memory of a new array costs, by the faults of some of its pages, which its user would meet otherwise. The median: a page
    /// may be a huge one, or another program may have had its turn.
    /// </summary>
    private static double FreshMillisecondsPerByte<T>(T[] array)
        where T : unmanaged
    {
        const int page = 4096, pages = 15;
        const double fastest = 1 / 20e6;      // clearing memory takes its time also without faults: 20 GB/s
        Span<byte> bytes = MemoryMarshal.AsBytes(array.AsSpan(0, page * (pages + 1) / Unsafe.SizeOf<T>()));
        Span<long> times = stackalloc long[pages];
        for (int i = 0; i < pages; i++)
        {
            long start = Stopwatch.GetTimestamp();
            bytes[(i + 1) * page] = 0;
            times[i] = Stopwatch.GetTimestamp() - start;
        }

        times.Sort();
        return Math.Max(Stopwatch.GetElapsedTime(0, times[pages / 2]).TotalMilliseconds / page, fastest);
    }

    private void HandedOut(long bytes)
    {
        _bytesInUse += bytes;
        _pacer.HandedOut(bytes);
        Listen();
    }

    /// <summary>Makes sure that this hears of collections.</summary>
    private void Listen()
    {
        if (!_hasSignal)
            CollectionSignal.Start(this);
        _hasSignal = true;
    }

    /// <summary>Drops the arrays that are over the limit or have waited too long, the oldest first; all where memory is scarce.</summary>
    private void Trim()
    {
        while (_shelves.Count > 0)
        {
            LinkedList<RecycledArray> oldest = Oldest();
            if (!_isScarce && _idleBytes <= _limit && clock.GetElapsedTime(oldest.First!.Value.IdleSince) <= IdleTime)
                return;
            Drop(oldest);
        }
    }

    /// <summary>The shelf with the array that has waited longest. It is the first there.</summary>
    private LinkedList<RecycledArray> Oldest() => _shelves.Values.MinBy(shelf => shelf.First!.Value.IdleSince)!;

    private void Drop(LinkedList<RecycledArray> shelf) => TakeFrom(shelf, shelf.First!).Abandon();

    private RecycledArray TakeFrom(LinkedList<RecycledArray> shelf, LinkedListNode<RecycledArray> node)
    {
        RecycledArray array = node.Value;
        shelf.Remove(node);
        if (shelf.Count == 0)
            _shelves.Remove(array.Kind);
        _idleBytes -= array.Bytes;
        return array;
    }
}
