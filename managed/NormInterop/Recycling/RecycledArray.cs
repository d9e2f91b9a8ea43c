using System.Runtime;
using System.Runtime.ConstrainedExecution;

namespace NormInterop.Recycling;

/// <summary>
/// The shadow of an array that is handed out again and again. It lives as long as anything can reach the array, and not longer: then the
/// collector runs its finalizer, and that takes the array home.
/// </summary>
/// <remarks>
/// <para>While a tensor, a slice, a span, a pin or anything else leads to the array, the dependent handle leads from there to the
/// shadow, though nobody else knows it. When nothing does, array and shadow become unreachable together. Only then does the collector
/// call the finalizer, and the shadow still has the array, which nobody else can come by any more.</para>
/// <para>Nobody, except the finalizers of other objects that died with the array and led to it. A critical finalizer runs after all
/// ordinary ones of the same collection, so these may still read the array. One that keeps it shares it with the next output: that is the
/// exception that <see cref="NormRuntime.RecyclingLimit"/> names.</para>
/// </remarks>
internal sealed class RecycledArray : CriticalFinalizerObject
{
    private readonly ArrayRecycler _home;
    private DependentHandle _reach;

    /// <summary>A shadow for a new array, which is handed out with this.</summary>
    internal RecycledArray(ArrayRecycler home, Array array, long bytes)
    {
        _home = home;
        Array = array;
        Bytes = bytes;
        _reach = new DependentHandle(array, this);
    }

    // Without a handle the constructor has not come to its end, and nothing says whether the array is in use. And an exception from here
    // would end the process: an array that there is no room to keep is left to the collector.
    ~RecycledArray()
    {
        try
        {
            if (_reach.IsAllocated)
                _home.Return(this);
        }
        catch (OutOfMemoryException)
        {
            _reach.Dispose();
        }
    }

    internal Array Array { get; }

    /// <summary>What arrays must have in common to take each other's place.</summary>
    internal (Type Type, int Length) Kind => (Array.GetType(), Array.Length);

    internal long Bytes { get; }

    /// <summary>When the array came home: a time stamp of the recycler's clock.</summary>
    internal long IdleSince { get; set; }

    /// <summary>Makes the collector watch again, for an array that is handed out another time.</summary>
    internal void Watch() => GC.ReRegisterForFinalize(this);

    /// <summary>Lets go of an array that is at home. It is the collector's from here on.</summary>
    internal void Abandon() => _reach.Dispose();
}
