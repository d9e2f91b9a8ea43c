using NormInterop.Bindings;
using NormInterop.Functional;
using MainMethods = NormInterop.Bindings.NativeMethods;
using MpiNative = NormInterop.Bindings.Mpi.MpiNative;
using NativeMethods = NormInterop.Bindings.Mpi.NativeMethods;

namespace NormInterop.Collectives;

/// <summary>MPI in this process: when it begins, and that it ends once, however the program ends.</summary>
internal static class MpiProcess
{
    private static readonly Lock s_gate = new();
    private static bool s_started;
    private static bool s_trouble;

    /// <summary>
    /// How long the end of a program waits for the other ranks where some are known to be in trouble: twice the longest time limit.
    /// Ranks that are well end when the last of them does, however long that takes, as in every program with MPI.
    /// </summary>
    private static TimeSpan s_patience;

    /// <summary>Starts MPI, or joins the one of the program.</summary>
    internal static void Start(TimeSpan limit)
    {
        lock (s_gate)
        {
            if (s_started)
                return;
            StartKeepingHandlers(limit);
            s_started = true;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Finish();
            AppDomain.CurrentDomain.UnhandledException += (_, e) =>
            {
                // No finally block runs any more: this is where a program ends that nobody catches an exception of.
                NoteTrouble();
                if (e.IsTerminating)
                    Finish();
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

    /// <summary>Notes how far apart the ranks of a group may be.</summary>
    internal static void NoteLimit(TimeSpan limit)
    {
        lock (s_gate)
            s_patience = 2 * limit > s_patience ? 2 * limit : s_patience;
    }

    /// <summary>Notes that ranks of this job do not end as they should.</summary>
    internal static void NoteTrouble() => Volatile.Write(ref s_trouble, true);

    private static void Finish() => _ = NativeMethods.Finish(Volatile.Read(ref s_trouble) ? s_patience.TotalSeconds : 1e9);
}
