using NormInterop.Bindings;
using NormInterop.Functional;
using NormInterop.Recycling;

namespace NormInterop;

/// <summary>Facts and settings of the native library in this process.</summary>
public static unsafe class NormRuntime
{
    /// <summary>
    /// The instruction set in use: <c>scalar</c>, <c>avx2</c> or <c>avx512</c>. The best one of this CPU, unless the environment
    /// variable NORMINTEROP_ISA named another when the library was first used. Results do not depend on it.
    /// </summary>
    /// <exception cref="NormInteropException">NORMINTEROP_ISA names a set that is unknown, or that this CPU lacks.</exception>
    public static string ActiveIsa
    {
        get
        {
            Native.EnsureLoaded();
            byte* name;
            NativeCall.Check(NativeMethods.ActiveIsa(&name));
            return NativeCall.Text(name);
        }
    }

    /// <summary>Version, compiler and instruction sets of the native library.</summary>
    public static string BuildInfo
    {
        get
        {
            Native.EnsureLoaded();
            return NativeCall.Text(NativeMethods.BuildInfo());
        }
    }

    /// <summary>
    /// How many threads one call may use at most, in the whole process. Set 0 to restore the default: the processors this process
    /// may run on, or OMP_NUM_THREADS. Results do not depend on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 0 or above 1024.</exception>
    public static int ThreadLimit
    {
        get
        {
            Native.EnsureLoaded();
            return NativeMethods.ThreadLimit();
        }

        set
        {
            Guard.ThreadCount(value, nameof(value));
            Native.EnsureLoaded();
            NativeCall.Check(NativeMethods.SetThreadLimit(value));
        }
    }

    /// <summary>
    /// The most bytes that the library keeps of outputs which are no longer in use, for the calls that return tensors to use again. At
    /// first a quarter of the memory that the process may have; 0 switches recycling off.
    /// </summary>
    /// <remarks>
    /// <para>A call that returns a tensor of 85,000 bytes or more takes the memory of an earlier one of about its size, if there is any:
    /// fresh memory can take longer than the computation. Nothing has to be done for it. The memory of an output is taken when the garbage
    /// collector has found that nothing in the program leads to it any more, neither a tensor nor a slice, a span or a pin. As long as
    /// the program can read an output, no other call writes it.</para>
    /// <para>The exception are objects that outlive their end. A finalizer (unless it is a critical one) may read the outputs of its
    /// object; but one that keeps them, for the program to find again or for a second run of its own, keeps what the next call may write.
    /// A program with such a finalizer has to switch recycling off.</para>
    /// <para>A call that finds no memory may ask the collector to look for some: in the background, unless it is a matter of a
    /// millisecond; only as often as costs little beside fresh memory; and not while
    /// <see cref="System.Runtime.GCSettings.LatencyMode"/> is LowLatency or NoGCRegion. Memory that no call has taken for ten seconds is
    /// left to the collector, and all of it is when memory runs short. A program that works close to a limit of its memory may still want
    /// a lower one here: what is kept is not free for its own arrays.</para>
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 0.</exception>
    public static long RecyclingLimit
    {
        get => ArrayRecycler.Shared.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArrayRecycler.Shared.Limit = value;
        }
    }

    /// <summary>Bytes of former outputs that the library keeps for the next calls; at most <see cref="RecyclingLimit"/>.</summary>
    public static long RecycledBytes => ArrayRecycler.Shared.IdleBytes;

    /// <summary>Leaves all memory of former outputs that the library keeps to the garbage collector.</summary>
    public static void ReleaseRecycled() => ArrayRecycler.Shared.Release();
}
