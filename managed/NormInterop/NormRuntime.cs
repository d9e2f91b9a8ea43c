using NormInterop.Bindings;
using NormInterop.Functional;

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
}
