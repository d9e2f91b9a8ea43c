using NormInterop.Bindings;
using NormInterop.Functional;
using MainMethods = NormInterop.Bindings.NativeMethods;
using MpiNative = NormInterop.Bindings.Mpi.MpiNative;
using NativeMethods = NormInterop.Bindings.Mpi.NativeMethods;

namespace NormInterop.Collectives;

/// <summary>MPI in this process: when it begins, and that it ends once, however the program ends.</summary>
internal static class MpiProcess
{
    /// <summary>The most seconds that the native library waits.</summary>
    private const double Endless = 1e9;

    /// <summary>Seconds that the end by an exception may wait for the other ranks, which are told of it at once.</summary>
    private const double LongestCrash = 10;

    private static readonly Lock s_gate = new();
    private static bool s_started;

    /// <summary>
    /// Seconds that the end of the program waits for the other ranks. Ranks that are well end when the last of them does, however long
    /// that takes, as in every program with MPI; where a group has failed, twice its time limit has to do.
    /// </summary>
    private static double s_patience = Endless;

    /// <summary>Starts MPI, or joins the one of the program.</summary>
    internal static void Start(TimeSpan limit)
    {
        lock (s_gate)
        {
            if (s_started)
                return;
            StartKeepingHandlers(limit);
            s_started = true;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Finish(Endless);

            // Where a program ends that nobody catches an exception of: no finally block runs any more. The exception is
            // shown after this, and so this must not take long.
            AppDomain.CurrentDomain.UnhandledException += (_, e) =>
            {
                if (e.IsTerminating)
                    Finish(LongestCrash);
            };
        }
    }

    /// <summary>MPI's handlers of signals would make crashes of what the runtime makes exceptions of, such as null references.</summary>
    private static void StartKeepingHandlers(TimeSpan limit)
    {
        Native.EnsureLoaded();
        NativeCall.Check(MainMethods.SaveFaultHandlers());
        try
        {
            MpiNative.EnsureLoaded();
            MpiTransport.Check(NativeMethods.Start(limit.TotalSeconds));
        }
        finally
        {
            NativeCall.Check(MainMethods.RestoreFaultHandlers());
        }
    }

    /// <summary>Notes that a group with this time limit has failed: there may be ranks that never end.</summary>
    internal static void NoteFault(TimeSpan limit)
    {
        lock (s_gate)
            s_patience = s_patience == Endless ? 2 * limit.TotalSeconds : Math.Max(s_patience, 2 * limit.TotalSeconds);
    }

    private static void Finish(double seconds)
    {
        lock (s_gate)
            seconds = Math.Min(seconds, s_patience);
        _ = NativeMethods.Finish(seconds);
    }
}
