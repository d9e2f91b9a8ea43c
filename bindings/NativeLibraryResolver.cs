using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace NormInterop.Bindings;

/// <summary>
/// Finds the native library. NORMINTEROP_LIBRARY, where it is set, names the file and nothing else is tried. Otherwise:
/// <c>runtimes/(rid)/native</c> below the application's folder, that folder itself, the same two for the folder of this
/// assembly, the folders of the host (NuGet's layout), and in the end the operating system's own search.
/// </summary>
internal static class NativeLibraryResolver
{
    /// <summary>The environment variable with the path of the file to load.</summary>
    internal const string OverrideVariable = "NORMINTEROP_LIBRARY";

    /// <summary>The name in the generated DllImport attributes.</summary>
    internal const string LibraryName = "norminterop";

    private static readonly Lock s_gate = new();
    private static LoadedLibrary? s_loaded;

    /// <summary>Name of the library's file on this operating system.</summary>
    internal static string FileName =>
        OperatingSystem.IsWindows() ? $"{LibraryName}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{LibraryName}.dylib"
        : $"lib{LibraryName}.so";

    /// <summary>Makes every P/Invoke of this assembly come here.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The resolver must be there before the first P/Invoke, whoever makes it.")]
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(
            typeof(NativeLibraryResolver).Assembly, static (name, _, _) => name == LibraryName ? Load().Handle : 0);

    /// <summary>Loads the library, at the first call; a failure is not remembered, so that it can be put right and tried again.</summary>
    /// <returns>The library of this process.</returns>
    /// <exception cref="DllNotFoundException">No file could be loaded; the message lists every path and what was wrong with it.</exception>
    internal static LoadedLibrary Load()
    {
        lock (s_gate)
        {
            return s_loaded ??= Locate(
                Environment.GetEnvironmentVariable(OverrideVariable), CandidateDirectories(), searchSystem: true);
        }
    }

    /// <summary>The search itself, over given places.</summary>
    /// <param name="overrideFile">Value of <see cref="OverrideVariable"/>; null or blank where it is not set.</param>
    /// <param name="directories">Where to look for <see cref="FileName"/>, in this order.</param>
    /// <param name="searchSystem">Whether the operating system's own search comes last.</param>
    /// <returns>The library, loaded.</returns>
    /// <exception cref="DllNotFoundException">No file could be loaded; the message lists every path and what was wrong with it.</exception>
    internal static LoadedLibrary Locate(string? overrideFile, IEnumerable<string> directories, bool searchSystem)
    {
        var failures = new StringBuilder();
        if (!string.IsNullOrWhiteSpace(overrideFile))
        {
            return TryFile(Path.GetFullPath(overrideFile), failures)
                ?? throw new DllNotFoundException(
                    $"The native library of NormInterop that {OverrideVariable} (environment) names cannot be loaded:{failures}");
        }

        foreach (string directory in directories)
        {
            if (TryFile(Path.Combine(directory, FileName), failures) is { } found)
                return found;
        }

        if (searchSystem)
        {
            if (NativeLibrary.TryLoad(LibraryName, typeof(NativeLibraryResolver).Assembly, null, out nint handle))
                return new LoadedLibrary(handle, LibraryName);
            Note(failures, LibraryName, "not found by the operating system's search");
        }

        throw new DllNotFoundException(
            $"The native library of NormInterop cannot be loaded. Tried in this order:{failures}{Environment.NewLine}"
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
        Path.GetDirectoryName(typeof(NativeLibraryResolver).Assembly.Location) ?? "";

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
