using System.Security.Cryptography;
using System.Text;

namespace NormInterop.Bindings.Generator;

/// <summary>
/// The fingerprint that ties the generated bindings to the C headers they were made from. This file is compiled into the
/// generator, which records the value, and into the tests, which compare it with the headers of the working tree.
/// </summary>
internal static class HeaderHash
{
    /// <summary>Folder of the main library's headers, relative to the root of the repository.</summary>
    internal const string Directory = "native/include/norminterop";

    /// <summary>Folder of the headers of the library for MPI.</summary>
    internal const string MpiDirectory = "native/mpi/include/norminterop_mpi";

    /// <summary>The headers of a working tree, in ordinal order of file name.</summary>
    /// <param name="repositoryRoot">Root of the repository.</param>
    /// <param name="directory">Folder of the headers.</param>
    /// <returns>Full paths.</returns>
    internal static IReadOnlyList<string> Files(string repositoryRoot, string directory = Directory) =>
        [.. System.IO.Directory.EnumerateFiles(Path.GetFullPath(Path.Combine(repositoryRoot, directory)), "*.h")
            .OrderBy(Path.GetFileName, StringComparer.Ordinal)];

    /// <summary>
    /// SHA-256 over every header's file name, a line feed and its text. Line endings are read as line feeds, since git may
    /// check the same header out with others.
    /// </summary>
    /// <param name="repositoryRoot">Root of the repository.</param>
    /// <param name="directory">Folder of the headers.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    internal static string Compute(string repositoryRoot, string directory = Directory)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in Files(repositoryRoot, directory))
        {
            string text = File.ReadAllText(file).Replace("\r\n", "\n", StringComparison.Ordinal);
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)}\n{text}"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
