using MpiNative = NormInterop.Bindings.Mpi.MpiNative;
using NativeMethods = NormInterop.Bindings.Mpi.NativeMethods;
using Status = NormInterop.Bindings.Mpi.Status;

namespace NormInterop.Collectives;

/// <summary>Ranks that are processes of an MPI job. The native library does the work.</summary>
internal sealed unsafe class MpiTransport : ICollectiveTransport
{
    /// <summary>The most bytes that all ranks of a group send in one operation.</summary>
    private const int MostBytesOfAll = 1 << 30;

    private readonly int _group;
    private readonly byte[] _presence;
    private bool _open = true;

    private MpiTransport(int group)
    {
        _group = group;
        int rank, size;
        Check(NativeMethods.Describe(group, &rank, &size));
        (Rank, Size) = (rank, size);
        _presence = new byte[size];
    }

    public int Rank { get; }

    public int Size { get; }

    public int MostBytes => MostBytesOfAll / Size;

    /// <summary>The group of all processes. Waits for all of them.</summary>
    internal static MpiTransport OpenWorld(TimeSpan limit)
    {
        int group;
        Check(NativeMethods.OpenWorld(limit.TotalSeconds, &group));
        return new MpiTransport(group);
    }

    /// <summary>A group of some ranks of this one, on a channel that none of its members has in use.</summary>
    internal MpiTransport OpenPart(ReadOnlySpan<int> ranks, int channel)
    {
        int group;
        fixed (int* members = ranks)
            Check(NativeMethods.OpenPart(_group, members, ranks.Length, channel, &group));
        return new MpiTransport(group);
    }

    internal static int ChannelLimit()
    {
        int limit;
        Check(NativeMethods.ChannelLimit(&limit));
        return limit;
    }

    public CollectiveFault? Gather(ReadOnlySpan<byte> block, TimeSpan limit)
    {
        int finder = 0;
        fixed (byte* data = block, presence = _presence)
            return FaultOf(NativeMethods.Gather(_group, data, block.Length, limit.TotalSeconds, presence, &finder), finder, limit);
    }

    public CollectiveFault? Exchange(ReadOnlySpan<byte> data, ReadOnlySpan<long> bounds, TimeSpan limit)
    {
        int finder = 0;
        fixed (byte* bytes = data, presence = _presence)
        fixed (long* places = bounds)
            return FaultOf(NativeMethods.Exchange(_group, bytes, places, limit.TotalSeconds, presence, &finder), finder, limit);
    }

    public ReadOnlySpan<byte> Block(int rank)
    {
        byte* block;
        long bytes;
        Check(NativeMethods.Block(_group, rank, &block, &bytes));
        return new ReadOnlySpan<byte>(block, (int)bytes);
    }

    public void Dispose()
    {
        if (!_open)
            return;
        _open = false;
        _ = NativeMethods.Close(_group);
    }

    internal static void Check(Status status)
    {
        if (status == Status.Ok)
            return;
        string message = MpiNative.LastError();
        throw status switch
        {
            Status.InvalidArgument => new ArgumentException(message),
            Status.NotRunning => new InvalidOperationException(message),
            Status.TimedOut => new CollectiveException(
                $"The group of all processes was not opened: {message}", CollectiveFailure.Missing, [], "World"),
            _ => new NormInteropException(message.Length > 0 ? message : $"The library for MPI failed: {status}.", (int)status),
        };
    }

    private CollectiveFault? FaultOf(Status status, int finder, TimeSpan limit)
    {
        if (status == Status.Fault)
        {
            MpiProcess.NoteFault(limit);
            return new CollectiveFault(Array.ConvertAll(_presence, p => (RankPresence)p), finder, MpiNative.LastError());
        }

        Check(status);
        return null;
    }
}
