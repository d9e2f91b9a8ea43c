using System.Runtime.InteropServices;

namespace NormInterop.Bindings.Mpi;

/// <summary>The door to <see cref="NativeMethods"/> of the library for MPI, as <see cref="Native"/> is to the main one's.</summary>
internal static class MpiNative
{
    /// <summary>The value of ni_mpi_abi_version() that these bindings are written for.</summary>
    internal const uint ExpectedAbiVersion = 1;

    private static LoadedLibrary? s_verified;

    /// <summary>Loads and checks the library at the first call.</summary>
    /// <exception cref="DllNotFoundException">The library, or the MPI that it was built for, cannot be found or loaded.</exception>
    /// <exception cref="BadImageFormatException">The library is not the one these bindings were made for.</exception>
    internal static void EnsureLoaded()
    {
        if (s_verified is not null)
            return;
        LoadedLibrary library = NativeLibraryResolver.Mpi.Load();
        try
        {
            if (NativeMethods.AbiVersion() is var version and not ExpectedAbiVersion)
            {
                throw new BadImageFormatException(
                    $"{library.Path} does not fit this version of NormInterop: the bindings expect ABI version {ExpectedAbiVersion}, the "
                    + $"library has {version}. Build both from the same sources.", library.Path);
            }
        }
        catch (EntryPointNotFoundException e)
        {
            throw new BadImageFormatException(
                $"{library.Path} is not the library for MPI of this version of NormInterop: {e.Message}", library.Path, e);
        }

        s_verified = library;
    }

    /// <summary>Why the last call on this thread failed.</summary>
    internal static unsafe string LastError() => Marshal.PtrToStringUTF8((nint)NativeMethods.LastErrorMessage()) ?? "";
}
