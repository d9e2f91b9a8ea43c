using System.Globalization;
using NormInterop.Collectives;
using NativeMethods = NormInterop.Bindings.Mpi.NativeMethods;

namespace NormInterop;

/// <summary>
/// A group whose ranks are processes of an MPI job, on one host or many: a program started by <c>mpirun -np 4 dotnet program.dll</c>.
/// Disposing leaves the group; MPI ends when the program does.
/// </summary>
/// <remarks>
/// <para>The library for MPI is loaded when the first group is made, and not before. It starts MPI, or joins the MPI that the program has
/// initialized itself (with MPI_THREAD_SERIALIZED or more, or else it may be used by MPI's main thread only). What it has started it
/// finalizes, once, when the program ends; as with every MPI, that waits for the other processes. When the program ends because of an
/// exception that nobody catches, the other ranks are told, and their operations fail instead of waiting.</para>
/// <para>When a process dies, a plain mpirun ends all others. Under <c>mpirun --enable-recovery</c> (Open MPI) they live on, and their
/// operations fail with a <see cref="CollectiveException"/> that names the rank.</para>
/// <para>Over several hosts, an operation in which MPI itself does not return from a call fails a second after the limit. Ranks must agree
/// on the order of bytes in numbers. Without mpirun, the program is a group of one.</para>
/// </remarks>
public sealed class MpiCollective : Collective
{
    private static readonly Lock s_splitting = new();

    /// <summary>The first channel that no group of this process has had. The members of a new group agree on a later one.</summary>
    private static int s_nextChannel = 1;

    private readonly MpiTransport _transport;

    private MpiCollective(MpiTransport transport, TimeSpan limit)
        : base(new CollectiveSession(transport, limit)) => _transport = transport;

    /// <summary>Makes a group of all processes of the job. Every process has to call it.</summary>
    /// <param name="timeLimit">How long operations wait for other ranks, this one included; null for five minutes.</param>
    /// <exception cref="DllNotFoundException">The library for MPI, or the MPI it was built for, is not there; the message says what to
    /// install.</exception>
    /// <exception cref="InvalidOperationException">MPI is finalized already, or may not be used by this thread, or the processes were
    /// started by the launcher of another MPI.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not above zero, or above 24 days.</exception>
    /// <exception cref="CollectiveException">Not all processes came within the limit.</exception>
    /// <exception cref="NormInteropException">MPI failed.</exception>
    public static MpiCollective World(TimeSpan? timeLimit = null)
    {
        TimeSpan limit = CollectiveSession.CheckLimit(timeLimit);
        long begin = Environment.TickCount64;
        MpiProcess.Start(limit);
        MpiProcess.NoteLimit(limit);
        TimeSpan left = limit - TimeSpan.FromMilliseconds(Environment.TickCount64 - begin);
        MpiTransport world = MpiTransport.OpenWorld(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
        if (world.Size == 1)
            CheckLauncher();
        return new MpiCollective(world, limit);
    }

    /// <summary>
    /// Where the launcher belongs to another MPI than the library, every process takes itself for the only one, and would train alone.
    /// </summary>
    private static void CheckLauncher()
    {
        foreach (string variable in (string[])["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"])
        {
            if (int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int size) && size > 1)
            {
                throw new InvalidOperationException(
                    $"A launcher has started {size} processes ({variable}), but this one is the only one of its MPI ({LibraryVersion}); "
                    + "expected the launcher of that MPI.");
            }
        }
    }

    /// <summary>Name and version of the MPI in use, as it gives them itself.</summary>
    /// <exception cref="DllNotFoundException">The library for MPI, or the MPI it was built for, is not there.</exception>
    public static unsafe string LibraryVersion
    {
        get
        {
            MpiProcess.Load();
            return Functional.NativeCall.Text(NativeMethods.LibraryVersion()).TrimEnd();
        }
    }

    /// <summary>
    /// Makes a group of those ranks that give the same color. Every rank of this group has to call it; a process makes one group at a time,
    /// also where several threads do, and all processes in the same order.
    /// </summary>
    /// <param name="color">Any number.</param>
    /// <param name="key">The order of the ranks in the new group; of equal ones, their order in this one.</param>
    /// <returns>This rank's place in its new group, which has the time limit of this one.</returns>
    /// <exception cref="CollectiveException">Another rank did not take part.</exception>
    /// <exception cref="InvalidOperationException">The process has had too many groups: more than 8000 or so.</exception>
    public MpiCollective Split(int color, int key = 0)
    {
        lock (s_splitting)
        {
            int[] all = new int[3 * WorldSize];
            Session.AllGather([color, key, s_nextChannel], all, "Split", CollectiveKind.Split);
            int channel = Enumerable.Range(0, WorldSize).Max(r => all[(3 * r) + 2]);
            if (channel > MpiTransport.ChannelLimit())
                throw new InvalidOperationException($"The processes have had {channel} groups, and there are no more numbers for another.");
            s_nextChannel = channel + 1;
            int[] members =
                [.. Enumerable.Range(0, WorldSize).Where(r => all[3 * r] == color).OrderBy(r => all[(3 * r) + 1]).ThenBy(r => r)];
            return new MpiCollective(_transport.OpenPart(members, channel), TimeLimit);
        }
    }
}
