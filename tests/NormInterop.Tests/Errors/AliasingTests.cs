using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Tensors that share memory: what may, what may not, and that a refusal changes nothing.</summary>
[TestClass]
public sealed class AliasingTests
{
    private static readonly int[] Shape = [4, 3, 2, 5];
    private const int Count = 120;

    [TestMethod]
    public void TrainingInPlace_IsRefused_BecauseTheBackwardReadsTheInput()
    {
        Refusal refusal = new(Shape);
        Tensor<float> x = Tensors.Make(Values.Of(5, Count), Shape);
        refusal.Says<ArgumentException>(
            "output shares memory with input", () => refusal.Norm.Forward(x.AsReadOnlyTensorSpan(), x.AsTensorSpan(), refusal.Context), x);
    }

    [TestMethod]
    [DataRow(Form.Contiguous)]
    [DataRow(Form.ChannelsLast)]
    [DataRow(Form.Reversed)]
    [DataRow(Form.Sliced)]
    [DataRow(Form.SlicedChannelsLast)]
    public void EvaluationInPlace_IsAllowed(Form form)
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        norm.Eval();
        Tensor<float> x = Tensors.Make(Values.Of(5, Count), Shape, form), y = Tensors.Poisoned(Shape, form);
        norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan());
        norm.Forward(x.AsReadOnlyTensorSpan(), x.AsTensorSpan());
        Expect.SameBits(Tensors.Flat(y), Tensors.Flat(x), "y");
    }

    /// <summary>The gradient may take the place of the output's gradient or of the input.</summary>
    [TestMethod]
    [DataRow(Form.Contiguous, true)]
    [DataRow(Form.Contiguous, false)]
    [DataRow(Form.ChannelsLast, true)]
    [DataRow(Form.ChannelsLast, false)]
    [DataRow(Form.Reversed, true)]
    [DataRow(Form.Sliced, true)]
    [DataRow(Form.SlicedChannelsLast, false)]
    public void BackwardInPlace_IsAllowed(Form form, bool training)
    {
        float[] x = Values.Of(5, Count), dy = Values.Of(6, Count);
        BatchNorm<float> apart = Layers.Varied(Shape), overDy = Layers.Varied(Shape), overX = Layers.Varied(Shape);
        Tensor<float> own = Tensors.Make(dy, Shape, form);
        float[] expected = Backward(apart, training, own, Tensors.Make(x, Shape, form), Tensors.Poisoned(Shape, form));
        Expect.SameBits(expected, Backward(overDy, training, own, Tensors.Make(x, Shape, form), own), "dx over dy");
        own = Tensors.Make(x, Shape, form);
        Expect.SameBits(expected, Backward(overX, training, Tensors.Make(dy, Shape, form), own, own), "dx over x");
        new ModuleState(apart).AssertEqual(new ModuleState(overDy), "dx over dy");
        new ModuleState(apart).AssertEqual(new ModuleState(overX), "dx over x");
    }

    /// <summary>One element, one row, one sample, all but one element; from both sides.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(5)]
    [DataRow(30)]
    [DataRow(119)]
    public void OverlapInPart_IsRefused(int distance)
    {
        foreach (bool outputFirst in new[] { true, false })
        {
            Tensor<float> memory = Tensors.Make(Values.Of(7, Count + distance), [Count + distance]);
            TensorSpan<float> Output(int start) => memory.AsTensorSpan().Slice([start..(start + Count)]).Reshape([4, 3, 2, 5]);
            ReadOnlyTensorSpan<float> View(int start) => Output(start);
            int input = outputFirst ? distance : 0, output = outputFirst ? 0 : distance;
            foreach (bool training in new[] { true, false })
            {
                Refusal refusal = new(() => Layers.Varied(Shape).Train(training), Shape);
                refusal.Says<ArgumentException>(
                    "output shares memory with input", () => refusal.Norm.Forward(View(input), Output(output), refusal.Context), memory);
            }

            Refusal backward = new(Shape);
            backward.Says<ArgumentException>(
                "gradInput shares memory with gradOutput",
                () => backward.Norm.Backward(View(input), backward.Input.AsReadOnlyTensorSpan(), Output(output), backward.Context), memory);
            backward = new(Shape);
            backward.Says<ArgumentException>(
                "gradInput shares memory with input",
                () => backward.Norm.Backward(backward.Input.AsReadOnlyTensorSpan(), View(input), Output(output), backward.Context), memory);
        }
    }

    /// <summary>The same memory in another format is not the same tensor.</summary>
    [TestMethod]
    public void SameMemoryInAnotherFormat_IsRefused()
    {
        float[] memory = Values.Of(8, Count);
        Tensor<float> contiguous = Tensor.Create(memory, [4, 3, 2, 5]), channelsLast = Tensor.Create(memory, [4, 3, 2, 5], [30, 1, 15, 3]);
        Refusal refusal = new(() => Layers.Varied(Shape).Eval(), Shape);
        refusal.Says<ArgumentException>(
            "output shares memory with input",
            () => refusal.Norm.Forward(contiguous.AsReadOnlyTensorSpan(), channelsLast.AsTensorSpan(), refusal.Context), contiguous);
        refusal = new(Shape);
        refusal.Says<ArgumentException>(
            "gradInput shares memory with gradOutput",
            () => refusal.Norm.Backward(
                contiguous.AsReadOnlyTensorSpan(), refusal.Input.AsReadOnlyTensorSpan(), channelsLast.AsTensorSpan(), refusal.Context),
            contiguous);
    }

    [TestMethod]
    [DataRow("0,15,5,1", 0)]
    [DataRow("15,0,5,1", 1)]
    [DataRow("15,5,0,1", 2)]
    [DataRow("6,2,1,0", 3)]
    public void OutputsWithOneElementForSeveralIndices_AreRefused(string strides, int dimension)
    {
        nint[] steps = Array.ConvertAll(strides.Split(','), nint.Parse);
        Tensor<float> output = Tensor.Create(new float[Count], [4, 3, 2, 5], steps);
        Refusal refusal = new(Shape);
        refusal.Says<ArgumentException>(
            $"output has stride 0 in dimension {dimension}",
            () => refusal.Norm.Forward(refusal.Input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context), output);
        refusal = new(Shape);
        refusal.Says<ArgumentException>(
            $"gradInput has stride 0 in dimension {dimension}",
            () => refusal.Norm.Backward(
                refusal.Input.AsReadOnlyTensorSpan(), refusal.Input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context),
            output);
    }

    /// <summary>Strides that are not 0 and still overlap cannot even be made; if that changes, the library must refuse them.</summary>
    [TestMethod]
    [DataRow("15,5,5,1")]
    [DataRow("1,1,1,1")]
    [DataRow("30,10,5,2")]
    public void OverlappingStrides_NeverComeToTheLibrary(string strides)
    {
        nint[] steps = Array.ConvertAll(strides.Split(','), nint.Parse);
        Assert.ThrowsExactly<ArgumentException>(() => Tensor.Create(new float[Count], [4, 3, 2, 5], steps));
    }

    /// <summary>A module's own tensors are reachable, and must not be overwritten by its output.</summary>
    [TestMethod]
    public void OutputsOverTheModulesState_AreRefused()
    {
        Func<BatchNorm<float>> make = () => (BatchNorm<float>)Layers.Varied([4, 3]).Eval();
        Func<BatchNorm<float>, Tensor<float>>[] states =
        [
            norm => norm.Weight!.Value, norm => norm.Bias!.Value, norm => norm.RunningMean!, norm => norm.RunningVar!,
        ];
        foreach (Func<BatchNorm<float>, Tensor<float>> state in states)
        {
            Refusal refusal = new(make, [4, 3]);
            Tensor<float> x = Tensors.Make([1, 2, 3], [1, 3]);
            refusal.Of<ArgumentException>(() => refusal.Norm.Forward(
                x.AsReadOnlyTensorSpan(), state((BatchNorm<float>)refusal.Norm).AsTensorSpan().Reshape([1, 3]), refusal.Context));
        }

        BatchNorm<float> single = make();
        NormContext<float> context = new();
        single.Forward(Tensors.Make([1, 2, 3], [1, 3]), context);
        ModuleState before = new(single);
        foreach (Tensor<float> state in new[] { single.Weight!.Value, single.Weight.Gradient, single.Bias!.Gradient })
        {
            Assert.ThrowsExactly<ArgumentException>(() => single.Backward(
                Tensors.Make([1, 1, 1], [1, 3]).AsReadOnlyTensorSpan(), Tensors.Make([1, 2, 3], [1, 3]).AsReadOnlyTensorSpan(),
                state.AsTensorSpan().Reshape([1, 3]), context));
        }

        before.AssertEqual(new ModuleState(single), "after the refused calls");
        Assert.IsTrue(context.IsPending);
    }

    /// <summary>Both running buffers in one tensor, or a gradient in the place of its parameter.</summary>
    [TestMethod]
    public void Function_RefusesStateThatSharesMemory()
    {
        Tensor<float> x = Tensors.Make(Values.Of(1, 24), [8, 3]), one = Tensors.Make([1, 2, 3], [3]);
        Tensor<float> four = Tensors.Make([1, 2, 3, 4], [4]);
        Refuses(() => Norm.BatchNorm(x, one, one, training: true));
        Refuses(() => Norm.BatchNorm(x, one, Tensors.Make([1, 1, 1], [3]), one, training: true));
        Refuses(() => Norm.BatchNorm(x, four.Slice(0..3), four.Slice(1..4), training: true));
        NormContext<float> context = new();
        Norm.BatchNorm(x, null, null, training: true, context: context);
        Refuses(() => Norm.BatchNormBackward(x, context, one, one));
        Refuses(() => Norm.BatchNormBackward(x, context, null, one, one));
        Refuses(() => Norm.BatchNormBackward(x, context, null, four.Slice(0..3), four.Slice(1..4)));
        Assert.IsTrue(context.IsPending);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 1, 2, 3, 4 }, (float[])[.. Tensors.Flat(one), .. Tensors.Flat(four)]);
    }

    /// <summary>Running buffers inside the input would change it under the backward; also where the input must be packed.</summary>
    [TestMethod]
    [DataRow(Form.Contiguous)]
    [DataRow(Form.Reversed)]
    public void Function_RefusesRunningBuffersInsideTheInput(Form form)
    {
        float[] memory = Values.Of(1, 24);
        nint[] strides = form is Form.Contiguous ? [3, 1] : [1, 8];
        Tensor<float> x = Tensor.Create(memory, [8, 3], strides), mean = Tensor.Create(memory, [3], [1]);
        float[] before = [.. memory];
        Refuses(() => Norm.BatchNorm(x, mean, Tensors.Make([1, 1, 1], [3]), training: true));
        Expect.SameBits(before, memory, "memory");
    }

    /// <summary>A tensor over bytes can begin between two floats.</summary>
    [TestMethod]
    public void AddressesBetweenTwoFloats_AreRefused()
    {
        byte[] bytes = new byte[(Count * sizeof(float)) + 16];
        Tensor<float> output = Tensors.Poisoned(Shape);
        Refusal refusal = new(Shape);
        refusal.Says<ArgumentException>("multiple of 4", () => ForwardAt(refusal, bytes, output), output);

        static void ForwardAt(Refusal refusal, byte[] bytes, Tensor<float> output)
        {
            int aligned = (int)(4 - (Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0) % 4)) % 4;
            Span<float> odd = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(aligned + 1));
            refusal.Norm.Forward(new ReadOnlyTensorSpan<float>(odd[..Count], [4, 3, 2, 5]), output.AsTensorSpan(), refusal.Context);
        }
    }

    private static float[] Backward(BatchNorm<float> norm, bool training, Tensor<float> dy, Tensor<float> x, Tensor<float> dx)
    {
        NormContext<float> context = new();
        norm.Train(training).Forward(x.AsReadOnlyTensorSpan(), Tensors.Poisoned(Shape).AsTensorSpan(), context);
        norm.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
        return Tensors.Flat(dx);
    }

    private static void Refuses(Action call) => Assert.ThrowsExactly<ArgumentException>(call);
}
