using System.Reflection;
using System.Runtime.InteropServices;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Contestants;

/// <summary>peer_case of peers/peer.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PeerCase
{
    public const int MaxRank = 5;

    public int Family;
    public int Pass;
    public int Layout;
    public int DataType;
    public int Threads;
    public int Rank;
    public fixed long Lengths[MaxRank];
    public long Groups;
    public double Eps;
    public double Momentum;
    public byte* X;
    public byte* OutputGradient;
    public byte* Out;
    public byte* Weight;
    public byte* Bias;
    public byte* RunningMean;
    public byte* RunningVar;
    public byte* WeightGradient;
    public byte* BiasGradient;
}

/// <summary>One of the libraries that tests/benchmarks/peers makes.</summary>
internal sealed unsafe class PeerLibrary
{
    private readonly delegate* unmanaged<PeerCase*, nint*, int> _create;
    private readonly delegate* unmanaged<nint, long, int> _run;
    private readonly delegate* unmanaged<nint, int> _collect;
    private readonly delegate* unmanaged<nint, byte*> _implementation;
    private readonly delegate* unmanaged<nint, void> _destroy;
    private readonly delegate* unmanaged<byte*> _lastError;

    private PeerLibrary(string name, nint library)
    {
        (Name, Handle) = (name, library);
        _create = (delegate* unmanaged<PeerCase*, nint*, int>)NativeLibrary.GetExport(library, "peer_create");
        _run = (delegate* unmanaged<nint, long, int>)NativeLibrary.GetExport(library, "peer_run");
        _collect = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "peer_collect");
        _implementation = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(library, "peer_implementation");
        _destroy = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "peer_destroy");
        _lastError = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "peer_last_error");
        Version = Text(((delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "peer_version"))());
    }

    /// <summary>As the reports name it.</summary>
    public string Name { get; }

    /// <summary>Name and version of what is behind it.</summary>
    public string Version { get; }

    public nint Handle { get; }

    /// <summary>The folder of the libraries: that of the build, or the one that NORMINTEROP_PEERS names.</summary>
    public static string Directory =>
        Environment.GetEnvironmentVariable("NORMINTEROP_PEERS") is { Length: > 0 } named
            ? named
            : BuildFacts.Get("PeersDirectory");

    /// <summary>Loads a library.</summary>
    /// <param name="name">As the reports will name it.</param>
    /// <param name="file">Its name without the folder, prefix and suffix.</param>
    /// <param name="error">Why there is none.</param>
    /// <returns>The library, or null where it was not built or cannot be loaded.</returns>
    public static PeerLibrary? TryLoad(string name, string file, out string error)
    {
        string path = Path.Combine(Directory, OperatingSystem.IsWindows() ? $"{file}.dll" : $"lib{file}.so");
        error = $"{path} is not there (its package was missing when it should have been built)";
        if (!File.Exists(path))
            return null;
        try
        {
            return new(name, NativeLibrary.Load(path));
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            error = e.Message;
            return null;
        }
    }

    public nint Create(PeerCase description)
    {
        nint handle = 0;
        Check(_create(&description, &handle));
        return handle;
    }

    public void Run(nint handle, int calls) => Check(_run(handle, calls));

    public void Collect(nint handle) => Check(_collect(handle));

    public string Implementation(nint handle) => Text(_implementation(handle));

    public void Destroy(nint handle) => _destroy(handle);

    private void Check(int status)
    {
        const int Unsupported = 1;
        if (status == 0)
            return;
        string message = Text(_lastError());
        throw status == Unsupported ? new PeerNotSupportedException(Name, message) : new PeerException($"{Name}: {message}");
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
}

/// <summary>A peer failed where it should not have.</summary>
internal sealed class PeerException(string message) : Exception(message);

/// <summary>A peer has nothing for a case.</summary>
internal sealed class PeerNotSupportedException(string peer, string message) : Exception(message)
{
    public string Peer => peer;
}

/// <summary>What the project file leaves in the program.</summary>
internal static class BuildFacts
{
    public static string Get(string key) => typeof(BuildFacts).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(attribute => attribute.Key == key).Value!;
}

/// <summary>A library on a case.</summary>
internal sealed unsafe class PeerContestant : Contestant
{
    private readonly PeerLibrary _library;
    private nint _handle;

    /// <summary>Has the library prepare the case.</summary>
    /// <exception cref="PeerNotSupportedException">The library has nothing for this case.</exception>
    public PeerContestant(PeerLibrary library, Case entry, SharedBuffers buffers, int threads)
        : base(library.Name)
    {
        _library = library;
        PeerCase description = new()
        {
            Family = (int)entry.Family,
            Pass = (int)entry.Pass,
            Layout = (int)entry.Layout,
            DataType = (int)entry.DataType,
            Threads = threads,
            Rank = entry.Shape.Rank,
            Groups = entry.Groups,
            Eps = Case.Eps,
            Momentum = Case.Momentum,
            X = buffers.X,
            OutputGradient = buffers.OutputGradient,
            Out = buffers.Out,
            Weight = buffers.Weight,
            Bias = buffers.Bias,
            RunningMean = buffers.RunningMean,
            RunningVar = buffers.RunningVar,
            WeightGradient = buffers.WeightGradient,
            BiasGradient = buffers.BiasGradient,
        };
        for (int i = 0; i < entry.Shape.Rank; i++)
            description.Lengths[i] = entry.Shape.Lengths[i];
        _handle = library.Create(description);
    }

    public override string Implementation => _library.Implementation(_handle);

    public override void Run(int calls) => _library.Run(_handle, calls);

    public override void Collect() => _library.Collect(_handle);

    public override void Dispose()
    {
        if (_handle != 0)
            _library.Destroy(_handle);
        _handle = 0;
        base.Dispose();
    }
}
