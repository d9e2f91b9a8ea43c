using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NormInterop.Bindings;

/// <summary>The native libraries, and how the P/Invokes of this assembly come to them.</summary>
internal static class NativeLibraryResolver
{
    /// <summary>The library that computes.</summary>
    internal static NativeLibrarySearch Main { get; } =
        new("norminterop", "NORMINTEROP_LIBRARY", "The native library of NormInterop", "");

    /// <summary>The library that brings bytes from process to process; not there on machines without MPI.</summary>
    internal static NativeLibrarySearch Mpi { get; } = new(
        "norminterop_mpi",
        "NORMINTEROP_MPI_LIBRARY",
        "The library for MPI of NormInterop",
        "It needs an MPI, and is built where one is installed: on Debian and Ubuntu, apt-get install openmpi-bin libopenmpi-dev, then "
        + $"./build.sh build. It is built for one MPI, and does not run on another.{Environment.NewLine}");

    /// <summary>Makes every P/Invoke of this assembly come here.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The resolver must be there before the first P/Invoke, whoever makes it.")]
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(
            typeof(NativeLibraryResolver).Assembly,
            static (name, _, _) => name == Main.LibraryName ? Main.Load().Handle : name == Mpi.LibraryName ? Mpi.Load().Handle : 0);
}
