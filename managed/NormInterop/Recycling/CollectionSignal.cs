using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;

namespace NormInterop.Recycling;

/// <summary>Tells a recycler after every full collection that there was one, for as long as the recycler lives.</summary>
/// <remarks>Nothing leads to this object, so every collection of its generation finalizes it, and it lives on. It starts in the youngest
/// generation, whose collections it reports too, until a few of them have made it old.</remarks>
internal sealed class CollectionSignal : CriticalFinalizerObject
{
    // A handle, and no WeakReference: that has a finalizer of its own, which would have run before this one.
    private WeakGCHandle<ArrayRecycler> _recycler;

    private CollectionSignal(ArrayRecycler recycler) => _recycler = new WeakGCHandle<ArrayRecycler>(recycler);

    ~CollectionSignal()
    {
        if (_recycler.IsAllocated && _recycler.TryGetTarget(out ArrayRecycler? recycler))
        {
            recycler.AfterCollection();
            GC.ReRegisterForFinalize(this);
        }
        else
        {
            _recycler.Dispose();
        }
    }

    internal static void Start(ArrayRecycler recycler) => _ = new CollectionSignal(recycler);
}
