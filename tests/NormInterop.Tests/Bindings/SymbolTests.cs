using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using NormInterop.Bindings;

namespace NormInterop.Tests.Bindings;

/// <summary>The functions the bindings declare are the functions the library exports: no more and no fewer.</summary>
[TestClass]
public sealed class SymbolTests
{
    /// <summary>A missing export fails at a user's first call; an undeclared one is a function nobody can use, or a leak.</summary>
    [TestMethod]
    public void DeclaredEntryPoints_AreTheExportedSymbols() => AssertSame(typeof(NativeMethods), Native.LibraryPath);

    /// <summary>The same of the library for MPI.</summary>
    [TestMethod]
    public void DeclaredEntryPointsForMpi_AreTheExportedSymbols()
    {
        try
        {
            AssertSame(typeof(NormInterop.Bindings.Mpi.NativeMethods), NativeLibraryResolver.Mpi.Load().Path);
        }
        catch (DllNotFoundException)
        {
            Assert.Inconclusive("The library for MPI was not built: openmpi-bin and libopenmpi-dev are not installed.");
        }
    }

    private static void AssertSame(Type methods, string library)
    {
        var declared = Imports(methods).Select(m => m.Import.EntryPoint!).ToHashSet();
        var exported = ExportedSymbols(library);
        Assert.AreEqual("", string.Join(", ", declared.Except(exported)), "declared by the bindings, not exported by the library");
        Assert.AreEqual("", string.Join(", ", exported.Except(declared)), "exported by the library, not declared by the bindings");
    }

    /// <summary>Every import names one library, spells its symbol exactly and declares it once.</summary>
    [TestMethod]
    public void Imports_AreExact()
    {
        AssertExact(typeof(NativeMethods), NativeLibraryResolver.Main.LibraryName);
        AssertExact(typeof(NormInterop.Bindings.Mpi.NativeMethods), NativeLibraryResolver.Mpi.LibraryName);
    }

    private static void AssertExact(Type methods, string library)
    {
        var imports = Imports(methods);
        Assert.AreNotEqual(0, imports.Count);
        CollectionAssert.AllItemsAreUnique(imports.ConvertAll(m => m.Import.EntryPoint));
        foreach ((MethodInfo method, DllImportAttribute import) in imports)
        {
            Assert.AreEqual(library, import.Value, method.Name);
            Assert.IsTrue(import.ExactSpelling, method.Name);
            Assert.AreEqual(CallingConvention.Cdecl, import.CallingConvention, method.Name);
        }
    }

    private static List<(MethodInfo Method, DllImportAttribute Import)> Imports(Type methods) =>
        [.. methods.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(m => (Method: m, Import: m.GetCustomAttribute<DllImportAttribute>()))
            .Where(m => m.Import is not null)
            .Select(m => (m.Method, m.Import!))];

    // nm belongs to the compiler that has built the library.
    private static HashSet<string> ExportedSymbols(string library)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("The exports are read with nm from an ELF file, which only Linux has.");

        var start = new ProcessStartInfo("nm", ["-D", "--defined-only", "--format=posix", library]) { RedirectStandardOutput = true };
        try
        {
            using Process nm = Process.Start(start)!;
            string output = nm.StandardOutput.ReadToEnd();
            nm.WaitForExit();
            Assert.AreEqual(0, nm.ExitCode, $"nm cannot read {library}");

            // Lines of "name type address size"; type A is the name of a symbol version, and no code.
            return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .Where(fields => fields[1] != "A")
                .Select(fields => fields[0].Split('@')[0])];
        }
        catch (Win32Exception)
        {
            throw new AssertInconclusiveException("The exports are read with nm (binutils), which this machine does not have.");
        }
    }
}
