using NormInterop.Bindings;

namespace NormInterop.Tests.Bindings;

/// <summary>The search for the native library: its order, and what it says when it finds nothing.</summary>
[TestClass]
public sealed class NativeLibraryResolverTests
{
    private string _empty = "";
    private string _broken = "";
    private string _working = "";

    /// <summary>Three folders: without a library, with a file that is none, and with the real one.</summary>
    [TestInitialize]
    public void MakeFolders()
    {
        string root = Directory.CreateTempSubdirectory("norminterop-").FullName;
        _empty = Directory.CreateDirectory(Path.Combine(root, "empty")).FullName;
        _broken = Directory.CreateDirectory(Path.Combine(root, "broken")).FullName;
        File.WriteAllText(Path.Combine(_broken, NativeLibraryResolver.Main.FileName), "This is not a library.");
        _working = Path.GetDirectoryName(Native.LibraryPath)!;
        if (_working.Length == 0)
            Assert.Inconclusive("The operating system's own search has found the library, so its folder is not known.");
    }

    /// <summary>Removes them.</summary>
    [TestCleanup]
    public void RemoveFolders() => Directory.Delete(Path.GetDirectoryName(_empty)!, recursive: true);

    /// <summary>Somebody who names a file wants that file: another one would hide the mistake.</summary>
    [TestMethod]
    public void Override_ThatIsMissing_IsAnErrorThatNamesIt()
    {
        string missing = Path.Combine(_empty, "missing.so");
        var e = Assert.ThrowsExactly<DllNotFoundException>(
            () => NativeLibraryResolver.Main.Locate(missing, [_working], searchSystem: true));
        Assert.Contains(missing, e.Message);
        Assert.Contains("no such file", e.Message);
        Assert.Contains(NativeLibraryResolver.Main.OverrideVariable, e.Message);
    }

    /// <summary>A file that is there and does not load is told apart from one that is not there.</summary>
    [TestMethod]
    public void Override_ThatIsNoLibrary_IsAnErrorWithTheLoadersReason()
    {
        string file = Path.Combine(_broken, NativeLibraryResolver.Main.FileName);
        var e = Assert.ThrowsExactly<DllNotFoundException>(() => NativeLibraryResolver.Main.Locate(file, [_working], searchSystem: true));
        Assert.Contains(file, e.Message);
        Assert.DoesNotContain("no such file", e.Message);
    }

    /// <summary>The override comes before everything else.</summary>
    [TestMethod]
    public void Override_ThatWorks_IsUsed()
    {
        string file = Path.Combine(_working, NativeLibraryResolver.Main.FileName);
        Assert.AreEqual(file, NativeLibraryResolver.Main.Locate(file, [_broken], searchSystem: false).Path);
    }

    /// <summary>Without an override, the first folder with a library that loads is taken.</summary>
    /// <param name="notSet">What counts as no override.</param>
    [TestMethod]
    [DataRow(null)]
    [DataRow("")]
    [DataRow(" ")]
    public void Search_TakesTheFirstThatLoads(string? notSet)
    {
        LoadedLibrary found = NativeLibraryResolver.Main.Locate(notSet, [_empty, _broken, _working], searchSystem: false);
        Assert.AreEqual(Path.Combine(_working, NativeLibraryResolver.Main.FileName), found.Path);
        Assert.AreNotEqual(0, found.Handle);
    }

    /// <summary>Whoever reads the message can tell where to put the file, and how to name another.</summary>
    [TestMethod]
    public void Search_ThatFails_ListsEveryPathInOrder()
    {
        var e = Assert.ThrowsExactly<DllNotFoundException>(
            () => NativeLibraryResolver.Main.Locate(null, [_empty, _broken], searchSystem: false));
        int first = e.Message.IndexOf(Path.Combine(_empty, NativeLibraryResolver.Main.FileName), StringComparison.Ordinal);
        int second = e.Message.IndexOf(Path.Combine(_broken, NativeLibraryResolver.Main.FileName), StringComparison.Ordinal);
        Assert.IsGreaterThanOrEqualTo(0, first);
        Assert.IsGreaterThan(first, second);
        Assert.Contains(NativeLibraryResolver.Main.OverrideVariable, e.Message);
    }

    /// <summary>The package's layout beside the application comes first, the application's folder after it.</summary>
    [TestMethod]
    public void CandidateDirectories_BeginWithTheApplication()
    {
        IReadOnlyList<string> folders = NativeLibrarySearch.CandidateDirectories();
        string application = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        Assert.StartsWith(Path.Combine(application, "runtimes"), folders[0]);
        Assert.EndsWith("native", folders[0]);
        Assert.Contains(application, folders);
        CollectionAssert.AllItemsAreUnique(folders.ToList());
    }
}
