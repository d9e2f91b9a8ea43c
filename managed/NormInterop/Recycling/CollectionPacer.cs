namespace NormInterop.Recycling;

/// <summary>
/// Decides when a recycler that has run out of arrays asks for a collection, and how long it waits for what that brings. Not
/// thread-safe: the recycler calls it under its lock.
/// </summary>
/// <remarks>
/// <para>Left alone, the collector is in no hurry: it counts what is allocated, and recycled arrays are not. In a training loop it would
/// find the arrays of the last iterations only after fresh ones have been paid for.</para>
/// <para>Two rules keep the requests from costing more than they bring. A collection must take at most an eighth of the time that fresh
/// memory takes for all that has been handed out since the last one; both times are measured, as they differ much between programs and
/// machines. And that must be half of what is in use: a program that keeps what it is given, as a deep network does on its way forward,
/// meets a number of vain collections that grows with the logarithm of what it keeps.</para>
/// </remarks>
internal sealed class CollectionPacer(TimeProvider clock)
{
    /// <summary>Less than this is not worth any collection: it stays in the caches in the meantime.</summary>
    private const long LeastBytes = 4 << 20;

    private const int WorthOfCollection = 8;

    /// <summary>After this, a collection that was asked for is taken to have been refused.</summary>
    private static readonly TimeSpan Refused = TimeSpan.FromSeconds(1);

    private long _requested;
    private TimeSpan _duration;
    private bool _isTimed;
    private long _handedOut;
    private double _freshMillisecondsPerByte;

    /// <summary>Whether a collection that was asked for is still to come to its end.</summary>
    internal bool IsPending { get; private set; }

    internal void HandedOut(long bytes) => _handedOut += bytes;

    /// <summary>Fresh memory has been had, at this price.</summary>
    internal void Fresh(double millisecondsPerByte)
    {
        // Memory that a large object has left behind can be had for little: it is the usual price that counts.
        double weight = _freshMillisecondsPerByte == 0 ? 1 : 0.25;
        _freshMillisecondsPerByte += weight * (millisecondsPerByte - _freshMillisecondsPerByte);
    }

    /// <summary>Whether the caller is to ask for a collection now. If so, it is pending.</summary>
    /// <param name="bytesInUse">Bytes of all arrays that have been handed out and are not back, garbage among them.</param>
    internal bool Request(long bytesInUse)
    {
        if (_handedOut < Math.Max(bytesInUse - _handedOut, LeastBytes)
            || FreshMilliseconds(_handedOut) < WorthOfCollection * _duration.TotalMilliseconds)
        {
            return false;
        }

        if (IsPending && clock.GetElapsedTime(_requested) < Refused)
            return false;
        IsPending = true;
        _isTimed = false;
        _requested = clock.GetTimestamp();
        _handedOut = 0;
        return true;
    }

    /// <summary>
    /// The collection that was asked for has stopped all threads for this long and is over, but for its finalizers, which cost nothing.
    /// </summary>
    internal void Timed(TimeSpan duration)
    {
        // A collection that takes long has perhaps had to share the machine; several in a row do take long.
        _duration = _duration > TimeSpan.Zero && duration > 2 * _duration ? 2 * _duration : duration;
        _isTimed = true;
    }

    /// <summary>The finalizers of a collection have run: of the one that was asked for, if any was.</summary>
    internal void Finished()
    {
        if (!IsPending)
            return;
        IsPending = false;
        if (!_isTimed)
            Timed(clock.GetElapsedTime(_requested));
    }

    /// <summary>
    /// How many milliseconds it pays to wait for what the pending collection brings rather than take fresh memory; 0 where it does not.
    /// </summary>
    internal int Patience(long bytes)
    {
        double fresh = FreshMilliseconds(bytes);
        return IsPending && _duration.TotalMilliseconds <= fresh ? (int)fresh : 0;
    }

    private double FreshMilliseconds(long bytes) => bytes * _freshMillisecondsPerByte;
}
