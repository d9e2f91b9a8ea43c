using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NormInterop.Recycling;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Recycling;

/// <summary>As long as a program can read an output, by whatever way, no call writes it; afterwards one does.</summary>
[TestClass]
public sealed class OutputLifetimeTests
{
    private const int Count = 40_000;
    private const float Signature = 12345.5f;

    private static readonly int[] Shape = [8, 50, 10, 10];
    private static readonly Tensor<float> Input = Tensors.Filled(Shape, Form.Contiguous, 1f);
    private static readonly long Size = (long)ArrayRecycler.Capacity(Count) * sizeof(float);

    [TestInitialize]
    public void Settle() => Collector.Settle();

    [TestMethod]
    public void ATensor_KeepsItsMemory()
    {
        Tensor<float> kept = Signed();
        Disturb();
        AssertSigned(kept);
        GC.KeepAlive(kept);
    }

    [TestMethod]
    public void ASlice_KeepsTheMemoryOfTheWhole()
    {
        Tensor<float> kept = SliceOfSigned();
        Disturb();
        Assert.AreEqual(Signature, kept[0, 0, 0, 0]);
        Assert.AreEqual(Signature, kept[1, 2, 3, 4]);
        GC.KeepAlive(kept);
    }

    [TestMethod]
    public void AReshapedTensor_KeepsTheMemory()
    {
        Tensor<float> kept = Reshaped();
        Disturb();
        AssertSigned(kept);
        GC.KeepAlive(kept);
    }

    [TestMethod]
    public void ASpan_KeepsTheMemory()
    {
        TensorSpan<float> span = Signed().AsTensorSpan();
        Span<float> row = Signed().GetSpan([7, 49, 9, 0], 10);
        ref float single = ref Signed()[7, 49, 9, 9];
        Disturb();
        Assert.AreEqual(Signature, span[7, 49, 9, 9]);
        Assert.AreEqual(Signature, row[9]);
        Assert.AreEqual(Signature, single);
    }

    [TestMethod]
    public unsafe void APin_KeepsTheMemory()
    {
        MemoryHandle pin = Signed().GetPinnedHandle();
        try
        {
            Disturb();
            Assert.AreEqual(Signature, ((float*)pin.Pointer)[Count - 1]);
        }
        finally
        {
            pin.Dispose();
        }

        Collector.Run();
        Assert.IsGreaterThanOrEqualTo(Size, NormRuntime.RecycledBytes, "nothing holds it any more");
    }

    [TestMethod]
    public void ACollection_KeepsWhatItHolds()
    {
        List<object> list = [Signed(), SliceOfSigned()];
        Dictionary<string, Tensor<float>> dictionary = new() { ["kept"] = Signed() };
        Disturb();
        AssertSigned((Tensor<float>)list[0]);
        Assert.AreEqual(Signature, ((Tensor<float>)list[1])[1, 1, 1, 1]);
        AssertSigned(dictionary["kept"]);
        GC.KeepAlive(list);
        GC.KeepAlive(dictionary);
    }

    [TestMethod]
    public void AClosureAndATask_KeepWhatTheyNeed()
    {
        Func<float> closure = Closure();
        TaskCompletionSource start = new();
        Task<float> task = Later(start.Task);
        Disturb();
        start.SetResult();
        Assert.AreEqual(Signature, closure());
        Assert.AreEqual(Signature, task.GetAwaiter().GetResult());
    }

    /// <summary>A module that waits for its backward keeps its input, which is here the output of another.</summary>
    [TestMethod]
    public void AContext_KeepsItsInput_UntilTheBackward()
    {
        NormContext<float> context = new();
        BatchNorm2d<float> norm = new(Shape[1]);
        ForwardOfSigned(norm, context);
        Disturb();
        Collector.Run();
        long before = NormRuntime.RecycledBytes;
        AssertInputSigned(context);
        BackwardOf(norm, context);
        Collector.Run();
        Assert.AreEqual(before + Size, NormRuntime.RecycledBytes, "the input, and dx in place of what was taken for it");
    }

    /// <summary>Objects that die with an output may look at it one last time, while other threads take what is free.</summary>
    [TestMethod]
    public void AFinalizer_StillReadsTheOutput()
    {
        LastLook.Seen = 0;
        using CancellationTokenSource stop = new();
        Thread taker = new(() =>
        {
            while (!stop.IsCancellationRequested)
                Forget(() => Outputs.Like(Input));
        });
        taker.Start();
        for (int i = 0; i < 10; i++)
        {
            MakeLastLooks(10);
            Collector.Run();
        }

        stop.Cancel();
        taker.Join();
        Assert.AreEqual(100, LastLook.Seen, "finalizers that have found their output as it was");
    }

    [TestMethod]
    public void DroppedOutputs_AreTakenAgain()
    {
        Forget(Signed);
        Collector.Run();
        Assert.AreEqual(Size, NormRuntime.RecycledBytes);
        Tensor<float> next = Outputs.Like(Input);
        Assert.AreEqual(0, NormRuntime.RecycledBytes);
        Assert.AreEqual(1f, next[7, 49, 9, 9]);
        Forget(SliceOfSigned);
        Collector.Run();
        Assert.AreEqual(Size, NormRuntime.RecycledBytes, "a slice that is gone, too");
        GC.KeepAlive(next);
    }

    /// <summary>A refused call has taken memory, and gives it back like any other.</summary>
    [TestMethod]
    public void ARefusedBackward_LosesNothing()
    {
        BatchNorm2d<float> norm = new(Shape[1]);
        Forget(() => norm.Forward(Input));
        for (int i = 0; i < 3; i++)
        {
            Assert.ThrowsExactly<ArgumentException>(() => norm.Backward(Tensor.CreateFromShape<float>([8, 50, 10, 11])));
            Collector.Run();
            Assert.IsInRange(Size, 2 * Size, NormRuntime.RecycledBytes);
        }

        Assert.AreEqual(Count, (int)norm.Backward(Input).FlattenedLength);
    }

    /// <summary>What a recycled tensor is to its user: nothing shows that its array is longer.</summary>
    [TestMethod]
    public void Outputs_AreTensorsLikeOthers()
    {
        int[] shape = [3, 7, 1, 4409];
        Assert.IsGreaterThan(Tensors.Count(shape), ArrayRecycler.Capacity(Tensors.Count(shape)), "a shape that leaves some of its array");
        foreach (Form form in new[] { Form.Contiguous, Form.ChannelsLast })
        {
            Tensor<float> x = Tensors.Random(1, shape, form), y = Outputs.Like(x);
            CollectionAssert.AreEqual(x.Lengths.ToArray(), y.Lengths.ToArray());
            CollectionAssert.AreEqual(x.Strides.ToArray(), y.Strides.ToArray());
            Assert.AreEqual((x.IsDense, x.HasAnyDenseDimensions, x.IsPinned), (y.IsDense, y.HasAnyDenseDimensions, y.IsPinned));
            Assert.AreEqual(x.FlattenedLength, y.FlattenedLength);
            Expect.SameBits(Tensors.Flat(x), Tensors.Flat(y), "elements");
            CollectionAssert.AreEqual(x.ToArray(), y.ToArray());
            Expect.SameBits(Tensors.Flat(x.ToDenseTensor()), Tensors.Flat(y.ToDenseTensor()), "dense");
            Assert.ThrowsExactly<IndexOutOfRangeException>(() => y[3, 0, 0, 0]);
            Expect.SameBits(Tensors.Flat(x.Slice([1, 0, 0, 4000])), Tensors.Flat(y.Slice([1, 0, 0, 4000])), "slice");
        }
    }

    // Outputs that nobody keeps, and collections: whatever is taken for free, is written now.
    private static void Disturb()
    {
        for (int i = 0; i < 4; i++)
        {
            for (int k = 0; k < 10; k++)
                Forget(() => Outputs.Like(Input));
            Collector.Run();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(Func<object> make) => make();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Tensor<float> Signed()
    {
        Tensor<float> output = Outputs.Like(Input);
        output.Fill(Signature);
        return output;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Tensor<float> SliceOfSigned() => Signed().Slice([4..6, 20..30, 2..9, 1..8]);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Tensor<float> Reshaped() => Tensor.Reshape(Signed(), [Count]);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Func<float> Closure()
    {
        Tensor<float> output = Signed();
        return () => output[0, 1, 2, 3];
    }

    private static async Task<float> Later(Task start)
    {
        Tensor<float> output = Signed();
        await start;
        return output[7, 0, 0, 0];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForwardOfSigned(BatchNorm2d<float> norm, NormContext<float> context) => norm.Forward(Signed(), context);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardOf(BatchNorm2d<float> norm, NormContext<float> context) => norm.Backward(Input, context);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeLastLooks(int count)
    {
        for (int i = 0; i < count; i++)
            _ = new LastLook(Signed());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AssertInputSigned(NormContext<float> context) => AssertSigned((Tensor<float>)context.Input!);

    private static void AssertSigned(Tensor<float> tensor)
    {
        ReadOnlySpan<float> elements = MemoryMarshal.CreateReadOnlySpan(ref tensor.GetPinnableReference(), Count);
        Assert.IsFalse(elements.ContainsAnyExcept(Signature), "an output that was kept has been written");
    }

    private sealed class LastLook(Tensor<float> output)
    {
        internal static int Seen;

        ~LastLook()
        {
            Thread.Sleep(3);
            ReadOnlySpan<float> elements = MemoryMarshal.CreateReadOnlySpan(ref output.GetPinnableReference(), Count);
            if (!elements.ContainsAnyExcept(Signature))
                Interlocked.Increment(ref Seen);
        }
    }
}
