namespace NormInterop.Bindings;

/// <summary>The native library, once it is in the process.</summary>
/// <param name="Handle">Handle of the operating system.</param>
/// <param name="Path">The file; the bare name where the operating system's own search has found it.</param>
internal sealed record LoadedLibrary(nint Handle, string Path);
