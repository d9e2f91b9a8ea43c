using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace NormInterop.Tests.State;

/// <summary>Writing safetensors files: the layout, and all or nothing.</summary>
[TestClass]
public sealed class SaveTests
{
    [TestMethod]
    public void Layout_IsThatOfTheReferenceImplementation()
    {
        using StateDict state = new()
        {
            { "b", StateTensor.FromScalar((Half)1) },
            { "\U0001d6fe", StateTensor.FromScalar(1f) },
            { "\ue000", StateTensor.FromScalar(2f) },
            { "a", StateTensor.FromBytes(StateDataType.Bool, [1], [1]) },
            { "z", StateTensor.FromScalar(5L) },
        };
        state.Metadata["format"] = "pt";

        byte[] file = Saved(state);
        string header = string.Concat(
            "{'__metadata__':{'format':'pt'},",
            "'z':{'dtype':'I64','shape':[],'data_offsets':[0,8]},",
            "'\ue000':{'dtype':'F32','shape':[],'data_offsets':[8,12]},",
            "'\U0001d6fe':{'dtype':'F32','shape':[],'data_offsets':[12,16]},",
            "'b':{'dtype':'F16','shape':[],'data_offsets':[16,18]},",
            "'a':{'dtype':'BOOL','shape':[1],'data_offsets':[18,19]}}").Replace('\'', '"');
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        Assert.AreEqual(0, length % 8);
        string text = Encoding.UTF8.GetString(file, 8, length);
        Assert.AreEqual(header, text.TrimEnd(' '));
        Assert.IsLessThan(8, text.Length - header.Length);
        CollectionAssert.AreEqual((byte[])[5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0x80, 0x3F, 0, 0x3C, 1], file[(8 + length)..]);
    }

    [TestMethod]
    public void AnEmptyDict_IsAFile()
    {
        using StateDict state = [];
        byte[] file = Saved(state);
        CollectionAssert.AreEqual((byte[])[8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8], file);
        using TemporaryFolder folder = new();
        using StateDict back = StateDict.Open(folder.Write("empty.safetensors", file));
        Assert.IsEmpty(back);
    }

    /// <summary>The order in which a dict was filled does not show.</summary>
    [TestMethod]
    public void TheSameContent_IsTheSameFile()
    {
        using StateDict forward = new() { { "a", StateTensor.FromScalar(1f) }, { "b", StateTensor.FromScalar(2f) } };
        using StateDict backward = new() { { "b", StateTensor.FromScalar(2f) }, { "a", StateTensor.FromScalar(1f) } };
        (forward.Metadata["x"], forward.Metadata["y"]) = ("1", "2");
        (backward.Metadata["y"], backward.Metadata["x"]) = ("2", "1");
        CollectionAssert.AreEqual(Saved(forward), Saved(backward));
    }

    [TestMethod]
    public void RandomDicts_ComeBack()
    {
        Gen<char> character = Gen.Frequency((4, Gen.Choose(0x20, 0x7E)), (1, Gen.Choose(0, 0x1F)), (1, Gen.Choose(0x7F, 0xD7FF)))
            .Select(code => (char)code);
        Gen<string> name = character.ArrayOf().Select(characters => new string(characters));
        Gen<StateTensor> tensor =
            from type in Gen.Elements(Enum.GetValues<StateDataType>())
            from lengths in Gen.Choose(0, 3).ArrayOf()
            from seed in Gen.Choose(0, 255)
            select Tensor(type, [.. lengths.Take(5).Select(length => (nint)length), 8], (byte)seed);
        Config config = Config.QuickThrowOnFailure.WithMaxTest(200)
            .WithReplay(new Replay(new Rnd(20240302, 0x9E37_79B9_7F4A_7C15), FSharpOption<int>.None));
        Check.One(config, Prop.ForAll(Arb.From(name.ArrayOf()), Arb.From(tensor.NonEmptyListOf()), Arb.From(name), ComesBack));
    }

    [TestMethod]
    public void AFailedSave_LeavesTheOldFileAndNothingElse()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("state.safetensors", Files.Good);

        // The first tensor is written, the second is gone.
        StateDict opened = StateDict.Open(path);
        using StateDict state = new() { { "z", StateTensor.FromScalar(1L) } };
        state.Merge(opened);
        opened.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => state.Save(path));
        CollectionAssert.AreEqual(Files.Good, File.ReadAllBytes(path));
        CollectionAssert.AreEqual((string[])["state.safetensors"], folder.Files);
    }

    [TestMethod]
    public void PathsThatCannotBeWritten_AreRefused()
    {
        using TemporaryFolder folder = new();
        using StateDict state = new() { { "a", StateTensor.FromScalar(1f) } };
        Directory.CreateDirectory(folder["directory"]);
        Assert.ThrowsExactly<DirectoryNotFoundException>(() => state.Save(Path.Combine(folder["absent"], "file")));
        try
        {
            state.Save(folder["directory"]);
            Assert.Fail("a directory was replaced");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Which one depends on the operating system.
        }

        Assert.ThrowsExactly<ArgumentNullException>(() => state.Save(null!));
        Assert.ThrowsExactly<ArgumentException>(() => state.Save(string.Empty));
        state.Metadata["half a pair"] = "\ud800";
        Assert.ThrowsExactly<InvalidOperationException>(() => state.Save(folder["file"]));
        CollectionAssert.AreEqual((string[])["directory"], folder.Files);
    }

    [TestMethod]
    public void ARelativePath_IsTakenFromTheCurrentDirectory()
    {
        string name = $"norminterop-{Guid.NewGuid():N}.safetensors";
        using StateDict state = new() { { "a", StateTensor.FromScalar(1f) } };
        try
        {
            state.Save(name);
            using StateDict back = StateDict.Load(Path.Combine(Environment.CurrentDirectory, name));
            Assert.AreEqual(1f, back["a"].ToScalar<float>());
        }
        finally
        {
            File.Delete(name);
        }
    }

    private static void ComesBack(string[] names, IList<StateTensor> tensors, string text)
    {
        using StateDict state = [];
        foreach (string name in names.Distinct().Where(name => name != "__metadata__"))
            state.Add(name, tensors[state.Count % tensors.Count]);
        state.Metadata[text] = text;
        using TemporaryFolder folder = new();
        state.Save(folder["file"]);
        foreach (Func<string, StateDict> read in (Func<string, StateDict>[])[StateDict.Load, StateDict.Open])
        {
            using StateDict back = read(folder["file"]);
            CollectionAssert.AreEquivalent(state.Keys.ToArray(), back.Keys.ToArray());
            Assert.AreEqual(text, back.Metadata[text]);
            foreach ((string key, StateTensor tensor) in state)
            {
                Assert.AreEqual(tensor.ToString(), back[key].ToString());
                CollectionAssert.AreEqual(tensor.ToBytes(), back[key].ToBytes());
            }
        }
    }

    private static StateTensor Tensor(StateDataType type, nint[] shape, byte seed)
    {
        int bits = type switch
        {
            StateDataType.F4 => 4,
            StateDataType.F6E2M3 or StateDataType.F6E3M2 => 6,
            <= StateDataType.F8E5M2Fnuz => 8,
            <= StateDataType.BF16 => 16,
            <= StateDataType.F32 => 32,
            _ => 64,
        };
        nint elements = shape.Aggregate((nint)1, (product, length) => product * length);
        return StateTensor.FromBytes(type, shape, [.. Enumerable.Range(seed, (int)elements * bits / 8).Select(i => (byte)i)]);
    }

    private static byte[] Saved(StateDict state)
    {
        using TemporaryFolder folder = new();
        state.Save(folder["file"]);
        CollectionAssert.AreEqual((string[])["file"], folder.Files);
        return File.ReadAllBytes(folder["file"]);
    }
}
