using NormInterop.Tests.Support;

namespace NormInterop.Tests.State;

/// <summary>Opened files: tensors are in the file until the dict is disposed, and nothing reads them afterwards.</summary>
[TestClass]
public sealed class FileLifetimeTests
{
    [TestMethod]
    public void AfterDispose_TensorsAreGone()
    {
        StateDict state = StateDict.Open(Files.Golden("model_float32"));
        StateTensor weight = state["bn1.weight"];
        StateTensor count = state["bn1.num_batches_tracked"];
        CollectionAssert.AreEqual(state["bn1.weight"].ToBytes(), weight.ToBytes());
        state.Dispose();
        state.Dispose();

        Assert.AreEqual("F32 [5]", weight.ToString());
        Assert.ThrowsExactly<ObjectDisposedException>(() => weight.ToTensor<float>());
        Assert.ThrowsExactly<ObjectDisposedException>(() => weight.ToBytes());
        Assert.ThrowsExactly<ObjectDisposedException>(() => weight.CopyBytesTo(0, new byte[4]));
        Assert.ThrowsExactly<ObjectDisposedException>(() => count.ToScalar<long>());
        using StateDict merged = new StateDict().Merge(state);
        using TemporaryFolder folder = new();
        Assert.ThrowsExactly<ObjectDisposedException>(() => merged.Save(folder["gone.safetensors"]));
        Assert.IsEmpty(folder.Files);
    }

    [TestMethod]
    public void ALoadedDict_NeedsNoFile()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("file.safetensors", Files.Good);
        StateDict state = StateDict.Load(path);
        File.Delete(path);
        state.Dispose();
        Assert.AreEqual(0x0706_0504_0302_0100, state["b"].ToScalar<long>());
    }

    /// <summary>As another process does it that saves a new state under the old name.</summary>
    [TestMethod]
    public void AnOpenedFile_MayBeReplaced()
    {
        if (OperatingSystem.IsWindows())
            return;     // which refuses it
        using TemporaryFolder folder = new();
        string path = folder.Write("file.safetensors", Files.Good);
        using StateDict state = StateDict.Open(path);
        using StateDict other = new() { { "c", StateTensor.FromScalar(1f) } };
        other.Save(path);
        Assert.AreEqual(0x0706_0504_0302_0100, state["b"].ToScalar<long>(), "the old file is still mapped");
        state.Save(path);
        using StateDict again = StateDict.Load(path);
        Assert.HasCount(2, again);
    }

    /// <summary>Whoever comes too late gets an exception; whoever is reading is waited for. Anything else ends the process.</summary>
    [TestMethod]
    public void DisposeWhileOthersRead_IsSafe()
    {
        for (int round = 0; round < 50; round++)
        {
            StateDict state = StateDict.Open(Files.Golden("rounding"));
            StateTensor tensor = state["single"];
            byte[] expected = tensor.ToBytes();
            using Barrier start = new(3);
            Task[] readers =
            [
                .. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
                {
                    start.SignalAndWait();
                    Assert.ThrowsExactly<ObjectDisposedException>(() =>
                    {
                        while (true)
                            CollectionAssert.AreEqual(expected, tensor.ToBytes());
                    });
                })),
            ];
            start.SignalAndWait();
            Thread.SpinWait(round * 1000);
            state.Dispose();
            Task.WaitAll(readers);
        }
    }

    [TestMethod]
    public void LargeTensors_AreReadAndWrittenInParts()
    {
        using TemporaryFolder folder = new();
        float[] values = Values.Of(1, (3 << 20) + 7);
        using (StateDict state = new() { { "large", StateTensor.FromTensor(Tensors.Make(values, [values.Length])) } })
            state.Save(folder["large.safetensors"]);
        using StateDict opened = StateDict.Open(folder["large.safetensors"]);
        Expect.SameBits(values, Tensors.Flat(opened["large"].ToTensor<float>()), "large");
        opened.Save(folder["again.safetensors"]);
        Assert.IsTrue(
            File.ReadAllBytes(folder["large.safetensors"]).AsSpan().SequenceEqual(File.ReadAllBytes(folder["again.safetensors"])));
    }

    /// <summary>What is gone cannot be read; reading it anyway would end the process.</summary>
    [TestMethod]
    public void AShortenedFile_IsAnError()
    {
        if (OperatingSystem.IsWindows())
            return;     // which lets nobody shorten a mapped file
        using TemporaryFolder folder = new();
        byte[] large = Files.Make("{\"a\":{\"dtype\":\"U8\",\"shape\":[100000],\"data_offsets\":[0,100000]}}", 100000);
        using StateDict state = StateDict.Open(folder.Write("file.safetensors", large));
        Truncate(folder["file.safetensors"], 5000);
        Assert.Contains("shortened to 5000 bytes", Assert.ThrowsExactly<EndOfStreamException>(() => state["a"].ToBytes()).Message);
        byte[] rest = new byte[100];
        state["a"].CopyBytesTo(1, rest);
        Assert.AreEqual(1, rest[0]);
    }

    /// <summary>A tensor of 3 GB, in a file with a hole of that size.</summary>
    [TestMethod]
    public void TensorsBeyondAnArray_AreReadInPartsOnly()
    {
        if (!OperatingSystem.IsLinux())
            return;     // elsewhere the hole may take up space
        const long length = 3L << 30;
        string header = $"{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{length}],\"data_offsets\":[0,{length}]}}}}";
        using TemporaryFolder folder = new();
        string path = folder.Write("file.safetensors", Files.Make(header, 5));
        Truncate(path, 8 + header.Length + length);

        Assert.Contains("\"a\" takes 3221225472 bytes", Assert.ThrowsExactly<NotSupportedException>(() => StateDict.Load(path)).Message);
        using StateDict state = StateDict.Open(path);
        StateTensor tensor = state["a"];
        Assert.AreEqual(length, tensor.ByteLength);
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor.ToBytes());
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor.ToTensor<byte>());
        byte[] part = new byte[2];
        tensor.CopyBytesTo(3, part);
        CollectionAssert.AreEqual((byte[])[3, 4], part);
        tensor.CopyBytesTo(length - 2, part);
        CollectionAssert.AreEqual((byte[])[0, 0], part);
    }

    private static void Truncate(string path, long length)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
