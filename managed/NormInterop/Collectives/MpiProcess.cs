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
    private const double LongestCrash = 3;

    private static readonly Lock s_gate = new();
    private static bool s_started;

    /// <summary>
    /// Whether ranks may be dead at the end of the program: not where mpirun ends the others then, but where it was told to let them live
    /// (Open MPI tells them so by this variable), or a group has failed.
    /// </summary>
    private static bool s_mayBeDead = Environment.GetEnvironmentVariable("OMPI_MCA_orte_enable_recovery") == "1";

    /// <summary>The longest time limit of all groups, in seconds.</summary>
    private static double s_longestLimit;

    /// <summary>Starts MPI, or joins the one of the program.</summary>
    internal static void Start(TimeSpan limit)
    {
        lock (s_gate)
        {
            if (s_started)
                return;
            Initialize(limit);
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

    /// <summary>Loads the library for MPI, and does not start it.</summary>
    internal static void Load() => KeepHandlers(MpiNative.EnsureLoaded);

    private static void Initialize(TimeSpan limit) => KeepHandlers(() =>
    {
        MpiNative.EnsureLoaded();
        MpiTransport.Check(NativeMethods.Start(limit.TotalSeconds));
    });

    /// <summary>MPI's handlers of signals would make crashes of what the runtime makes exceptions of, such as null references.</summary>
    private static void KeepHandlers(Action action)
    {
        Native.EnsureLoaded();
        NativeCall.Check(MainMethods.SaveFaultHandlers());
        try
        {
            action();
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
            s_longestLimit = Math.Max(s_longestLimit, limit.TotalSeconds);
    }

    /// <summary>Notes that a group with this time limit has failed.</summary>
    internal static void NoteFault(TimeSpan limit)
    {
        lock (s_gate)
            (s_mayBeDead, s_longestLimit) = (true, limit.TotalSeconds);
    }

    /// <summary>
    /// Ranks that are well end when the last of them does, however long that takes, as in every program with MPI. Where some may be dead,
    /// twice the time limit has to do: of the group that has failed, or the longest.
    /// </summary>
    private static void Finish(double seconds)
    {
        lock (s_gate)
            seconds = s_mayBeDead ? Math.Min(seconds, 2 * s_longestLimit) : seconds;
        _ = NativeMethods.Finish(seconds);
    }
}
