using MpiNative = NormInterop.Bindings.Mpi.MpiNative;
using NativeMethods = NormInterop.Bindings.Mpi.NativeMethods;

namespace NormInterop.Collectives;

/// <summary>MPI in this process: when it begins, and that it ends once, however the program ends.</summary>
internal static class MpiProcess
{
    /// <summary>
    /// How long the end of a program waits for MPI where ranks are known to be in trouble, this one or others. Ranks that are well end
    /// when the last of them does, however long that takes, as in every program with MPI.
    /// </summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private static readonly Lock s_gate = new();
    private static bool s_started;
    private static bool s_trouble;

    /// <summary>Starts MPI, or joins the one of the program.</summary>
    internal static void Start()
    {
        MpiNative.EnsureLoaded();
        lock (s_gate)
        {
            MpiTransport.Check(NativeMethods.Start());
            if (s_started)
                return;
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

    /// <summary>Notes that ranks of this job do not end as they should.</summary>
    internal static void NoteTrouble() => Volatile.Write(ref s_trouble, true);

    private static void Finish() => _ = NativeMethods.Finish(Volatile.Read(ref s_trouble) ? s_patience.TotalSeconds : 1e9);
}
