using System.Runtime.InteropServices;

namespace NormInterop.PeerBench.Contestants;

/// <summary>The libraries that are there, and what they know of the process.</summary>
internal sealed unsafe class PeerSet
{
    public const string Torch = "libtorch";
    public const string OneDnn = "oneDNN";
    public const string Limit = "limit";
    public const string RegularLimit = "limit, regular stores";
    public const string StreamingLimit = "limit, streaming stores";

    private readonly delegate* unmanaged<long> _pageFaults;

    private PeerSet(nint process)
    {
        _pageFaults = (delegate* unmanaged<long>)NativeLibrary.GetExport(process, "process_page_faults");
        HeapKept = ((delegate* unmanaged<int>)NativeLibrary.GetExport(process, "process_keep_heap"))() != 0;
    }

    /// <summary>Whether the heap never gives memory back, so that the outputs a peer allocates cost no page faults.</summary>
    public bool HeapKept { get; }

    /// <summary>In the order of the reports.</summary>
    public List<PeerLibrary> Libraries { get; } = [];

    /// <summary>Why those that were asked for and are not there are missing.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Page faults of this process so far that needed no disk.</summary>
    public long PageFaults => _pageFaults();

    /// <summary>Loads the libraries. To be called before anything large is allocated, on the thread that will do the timing.</summary>
    /// <param name="wanted">Whether a contestant of this name takes part.</param>
    /// <exception cref="DllNotFoundException">Not even the limit was built.</exception>
    public static PeerSet Load(Predicate<string> wanted)
    {
        PeerLibrary regular = PeerLibrary.TryLoad(RegularLimit, "limit_regular", out string error)
            ?? throw new DllNotFoundException($"{error}. Build it with ./build.sh bench, or name its folder in NORMINTEROP_PEERS.");
        PeerSet peers = new(regular.Handle);
        peers.Add(Torch, "torch_peer", wanted);
        peers.Add(OneDnn, "onednn_peer", wanted);
        if (wanted(Limit))
            peers.Libraries.Add(regular);
        if (wanted(Limit) && PeerLibrary.TryLoad(StreamingLimit, "limit_streaming", out _) is { } streaming)
            peers.Libraries.Add(streaming);
        return peers;
    }

    private void Add(string name, string file, Predicate<string> wanted)
    {
        if (!wanted(name))
            return;
        if (PeerLibrary.TryLoad(name, file, out string error) is { } library)
            Libraries.Add(library);
        else
            Missing.Add($"{name}: {error}");
    }
}
