using NormInterop.Bindings;
using NormInterop.Bindings.Generator;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Bindings;

/// <summary>The committed bindings are those of the headers beside them.</summary>
[TestClass]
public sealed class HeaderHashTests
{
    /// <summary>A header was changed, and the bindings were not generated anew: this is the test that says so.</summary>
    [TestMethod]
    public void GeneratedBindings_AreOfTheHeadersOnDisk()
    {
        const string stale = "The C headers have changed since the bindings were generated. Run ./build.sh bindings.";
        Assert.AreEqual(Abi.HeaderHash, HeaderHash.Compute(Repository.Root), stale);
        Assert.AreEqual(NormInterop.Bindings.Mpi.Abi.HeaderHash, HeaderHash.Compute(Repository.Root, HeaderHash.MpiDirectory), stale);
    }

    /// <summary>A change of one character, of a file's name, and of nothing but line endings.</summary>
    [TestMethod]
    public void Hash_SeesTextAndNames_AndNotLineEndings()
    {
        string Hash(string name, string text)
        {
            string root = Directory.CreateTempSubdirectory("norminterop-").FullName;
            try
            {
                string folder = Directory.CreateDirectory(Path.Combine(root, HeaderHash.Directory)).FullName;
                File.WriteAllText(Path.Combine(folder, name), text);
                return HeaderHash.Compute(root);
            }
            finally
            {
                Directory.Delete(root, recursive: true);
            }
        }

        string hash = Hash("a.h", "int a;\nint b;\n");
        Assert.AreEqual(hash, Hash("a.h", "int a;\r\nint b;\r\n"));
        Assert.AreNotEqual(hash, Hash("a.h", "int a;\nint c;\n"));
        Assert.AreNotEqual(hash, Hash("b.h", "int a;\nint b;\n"));
    }
}
