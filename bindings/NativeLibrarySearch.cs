using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace NormInterop.Bindings;

/// <summary>
/// Finds a native library. Its variable, where it is set in the environment, names the file and nothing else is tried. Otherwise:
/// <c>runtimes/(rid)/native</c> below the application's folder, that folder itself, the same two for the folder of this
/// assembly, the folders of the host (NuGet's layout), and in the end the operating system's own search.
/// </summary>
/// <param name="libraryName">The name in the generated DllImport attributes.</param>
/// <param name="overrideVariable">The environment variable with the path of the file to load.</param>
/// <param name="title">What the library is, at the beginning of a message.</param>
/// <param name="advice">What to do where the search finds nothing; empty for nothing but the variable.</param>
internal sealed class NativeLibrarySearch(string libraryName, string overrideVariable, string title, string advice)
{
    private readonly Lock _gate = new();
    private LoadedLibrary? _loaded;

    /// <summary>The name in the generated DllImport attributes.</summary>
    internal string LibraryName => libraryName;

    /// <summary>The environment variable with the path of the file to load.</summary>
    internal string OverrideVariable => overrideVariable;

    /// <summary>Name of the library's file on this operating system.</summary>
    internal string FileName =>
        OperatingSystem.IsWindows() ? $"{LibraryName}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{LibraryName}.dylib"
        : $"lib{LibraryName}.so";

    /// <summary>Loads the library, at the first call; a failure is not remembered, so that it can be put right and tried again.</summary>
    /// <returns>The library of this process.</returns>
    /// <exception cref="DllNotFoundException">No file could be loaded; the message lists every path and what was wrong with it.</exception>
    internal LoadedLibrary Load()
    {
        lock (_gate)
        {
            return _loaded ??= Locate(
                Environment.GetEnvironmentVariable(OverrideVariable), CandidateDirectories(), searchSystem: true);
        }
    }

    /// <summary>The search itself, over given places.</summary>
    /// <param name="overrideFile">Value of <see cref="OverrideVariable"/>; null or blank where it is not set.</param>
    /// <param name="directories">Where to look for <see cref="FileName"/>, in this order.</param>
    /// <param name="searchSystem">Whether the operating system's own search comes last.</param>
    /// <returns>The library, loaded.</returns>
    /// <exception cref="DllNotFoundException">No file could be loaded; the message lists every path and what was wrong with it.</exception>
    internal LoadedLibrary Locate(string? overrideFile, IEnumerable<string> directories, bool searchSystem)
    {
        var failures = new StringBuilder();
        if (!string.IsNullOrWhiteSpace(overrideFile))
        {
            return TryFile(Path.GetFullPath(overrideFile), failures)
                ?? throw new DllNotFoundException(
                    $"{title} that {OverrideVariable} (environment) names cannot be loaded:{failures}");
        }

        foreach (string directory in directories)
        {
            if (TryFile(Path.Combine(directory, FileName), failures) is { } found)
                return found;
        }

        if (searchSystem)
        {
            if (NativeLibrary.TryLoad(LibraryName, typeof(NativeLibrarySearch).Assembly, null, out nint handle))
                return new LoadedLibrary(handle, LibraryName);
            Note(failures, LibraryName, "not found by the operating system's search");
        }

        throw new DllNotFoundException(
            $"{title} cannot be loaded. Tried in this order:{failures}{Environment.NewLine}{advice}"
            + $"To use another file, set the environment variable {OverrideVariable} to its path.");
    }

    /// <summary>The folders that are searched where nothing is overridden.</summary>
    /// <returns>Full paths, each once.</returns>
    internal static IReadOnlyList<string> CandidateDirectories()
    {
        string[] roots = [AppContext.BaseDirectory, AssemblyDirectory()];
        var hostDirectories = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string)
            ?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        return [.. roots.Where(r => r.Length > 0)
            .SelectMany(r => RuntimeIdentifiers().Select(rid => Path.Combine(r, "runtimes", rid, "native")).Append(r))
            .Concat(hostDirectories)
            .Select(d => Path.TrimEndingDirectorySeparator(Path.GetFullPath(d)))
            .Distinct()];
    }

    // The identifier the runtime was built for (linux-musl-x64, or a distribution's own), then the portable one.
    private static IEnumerable<string> RuntimeIdentifiers()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        return new[] { RuntimeInformation.RuntimeIdentifier, $"{system}-{architecture}" }.Distinct();
    }

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "In a single-file program it is empty, and then left out.")]
    private static string AssemblyDirectory() =>
        Path.GetDirectoryName(typeof(NativeLibrarySearch).Assembly.Location) ?? "";

    private static LoadedLibrary? TryFile(string path, StringBuilder failures)
    {
        if (!File.Exists(path))
        {
            Note(failures, path, "no such file");
            return null;
        }

        try
        {
            return new LoadedLibrary(NativeLibrary.Load(path), path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // On Unix advice for every case comes first, and the loader's reason last, behind the path.
            string[] lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            string reason = lines is [.., var last] ? last : e.GetType().Name;
            Note(failures, path, reason.StartsWith($"{path}: ", StringComparison.Ordinal) ? reason[(path.Length + 2)..] : reason);
            return null;
        }
    }

    private static void Note(StringBuilder failures, string path, string reason) =>
        failures.AppendLine().Append("  ").Append(path).Append(": ").Append(reason);
}
