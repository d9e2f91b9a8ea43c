using System.Runtime.CompilerServices;

namespace NormInterop.Bindings;

/// <summary>The door to <see cref="NativeMethods"/>: what is called through it is a library that is there and that fits.</summary>
internal static class Native
{
    // No static constructor, and no initializer, which would become one: an exception from there reaches the user wrapped as
    // TypeInitializationException, and a library that was missing once would stay missing.
    private static LoadedLibrary? s_verified;

    /// <summary>The file of the library; its bare name where the operating system's own search has found it.</summary>
    internal static string LibraryPath
    {
        get
        {
            EnsureLoaded();
            return s_verified!.Path;
        }
    }

    /// <summary>Loads and checks the library at the first call; later calls cost the read of a field.</summary>
    /// <exception cref="DllNotFoundException">The library cannot be found or loaded.</exception>
    /// <exception cref="BadImageFormatException">The library is not the one these bindings were made for.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EnsureLoaded()
    {
        if (s_verified is null)
            LoadAndVerify();
    }

    // Two threads may both come here; both find the same library, and checking it twice does no harm.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LoadAndVerify()
    {
        LoadedLibrary library = NativeLibraryResolver.Main.Load();
        AbiCheck.Verify(library.Path);
        s_verified = library;
    }
}
