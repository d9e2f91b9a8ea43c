namespace NormInterop.PeerBench.Results;

/// <summary>With what the figures came about.</summary>
/// <param name="Date">When it began.</param>
/// <param name="Processor">Name of the processor.</param>
/// <param name="Threads">Threads of every contestant but the reference.</param>
/// <param name="CacheBytes">Size of the last-level cache.</param>
/// <param name="Library">What the native library says of itself.</param>
/// <param name="Isa">Its instruction set.</param>
/// <param name="Peers">Names and versions of the others.</param>
/// <param name="Missing">Peers that were asked for and are not there, and why.</param>
/// <param name="HeapKept">Whether the heap keeps its memory.</param>
internal sealed record BenchSetup(
    DateTime Date,
    string Processor,
    int Threads,
    long CacheBytes,
    string Library,
    string Isa,
    IReadOnlyList<string> Peers,
    IReadOnlyList<string> Missing,
    bool HeapKept);

/// <summary>Everything that a run leaves.</summary>
/// <param name="Setup">With what.</param>
/// <param name="Results">The cases that were timed.</param>
/// <param name="Errors">Contestants that computed something else, or failed.</param>
/// <param name="NotTimed">Number of cases that were asked for and not timed.</param>
internal sealed record BenchReport(
    BenchSetup Setup, IReadOnlyList<CaseResult> Results, IReadOnlyList<string> Errors, int NotTimed)
{
    public Summary Summary { get; } = new(Results);
}
