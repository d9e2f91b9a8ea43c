using System.Numerics.Tensors;
using NormInterop.Functional;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>What layers with an activation refuse, that they say why, and that a refusal changes nothing.</summary>
[TestClass]
public sealed class FusedErrorTests
{
    private static readonly int[] Shape = [4, 3, 2, 5];
    private const int Count = 120;

    [TestMethod]
    [DataRow(-1)]
    [DataRow(3)]
    [DataRow(int.MaxValue)]
    public void UndefinedActivation_IsRefused(int value)
    {
        Func<object>[] makes =
        [
            () => new BatchNorm2d<float>(3) { Activation = (Activation)value },
            () => new InstanceNorm1d<double>(3) { Activation = (Activation)value },
            () => new GroupNorm<float>(1, 3) { Activation = (Activation)value },
        ];
        foreach (Func<object> make in makes)
        {
            ArgumentOutOfRangeException exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(make);
            Assert.AreEqual((Activation)value, exception.ActualValue);
            Assert.Contains("Expected None, ReLU or SiLU.", exception.Message);
        }
    }

    /// <summary>The backward reads the bias, unlike that of a layer without an activation.</summary>
    [TestMethod]
    public void GradInputOverTheBias_IsRefused()
    {
        BatchNorm1d<float> norm = new(3) { Activation = Activation.ReLU };
        norm.Eval();
        Tensor<float> x = Tensors.Random(5, [1, 3]), y = Tensors.Poisoned([1, 3]);
        NormContext<float> context = new();
        norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
        Tensor<float> bias = norm.Bias!.Value;
        float[] before = Tensors.Flat(bias);
        ArgumentException refused = Assert.ThrowsExactly<ArgumentException>(
            () => norm.Backward(x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), bias.Reshape([1, 3]).AsTensorSpan(), context));
        Assert.Contains("bias", refused.Message);
        Assert.Contains("gradInput", refused.Message);
        Expect.SameBits(before, Tensors.Flat(bias), "the bias");
    }

    [TestMethod]
    [DataRow(Activation.None)]
    [DataRow(Activation.SiLU)]
    public void ResidualWithoutReLU_IsRefused(Activation activation)
    {
        Tensor<float> x = Tensors.Random(3, Shape), y = Tensors.Poisoned(Shape);
        string message = $"A residual wants the activation ReLU; that of this layer is {activation}.";
        Action<FusedNorm<float>, NormContext<float>>[] calls =
        [
            (norm, _) => norm.Forward(x, x),
            (norm, context) => norm.Forward(x, x, context),
            (norm, context) => norm.Forward(x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context),
            (norm, _) => norm.Forward(x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), y.AsTensorSpan()),
        ];
        foreach (Action<FusedNorm<float>, NormContext<float>> call in calls)
        {
            Refusal refusal = new(() => Varied(activation), Shape);
            refusal.Says<InvalidOperationException>(
                message, () => call((FusedNorm<float>)refusal.Norm, refusal.Context), x, y);
        }
    }

    [TestMethod]
    [DataRow("4x3x2x4", true)]
    [DataRow("4x3x10", true)]
    [DataRow("1x3x2x5", false)]
    [DataRow("3", false)]
    public void ResidualOfOtherLengths_IsRefused(string lengths, bool training)
    {
        Tensor<float> residual = Tensors.Random(4, Tensors.Shape(lengths));
        string message = $"residual has size {TensorSpans.Size(residual.Lengths)}; expected [4, 3, 2, 5], the size of the input.";
        foreach (bool spans in new[] { false, true })
        {
            Pending pending = new(training);
            Tensor<float> x = Tensors.Random(3, Shape), y = Tensors.Poisoned(Shape);
            pending.Refuses<ArgumentException>(message, y, norm =>
            {
                if (spans)
                    norm.Forward(x.AsReadOnlyTensorSpan(), residual.AsReadOnlyTensorSpan(), y.AsTensorSpan(), pending.Context);
                else
                    norm.Forward(x, residual, pending.Context);
            });
        }
    }

    [TestMethod]
    public void NullTensors_AreRefused()
    {
        Tensor<float> x = Tensors.Random(3, Shape);
        (string Name, Action<FusedNorm<float>, NormContext<float>> Call)[] calls =
        [
            ("input", (norm, context) => norm.Forward(null!, x, context)),
            ("residual", (norm, context) => norm.Forward(x, (Tensor<float>)null!, context)),
            ("context", (norm, context) => norm.Forward(x, x, null!)),
            ("gradOutput", (norm, context) => norm.Backward(null!, out Tensor<float> _, context)),
            ("context", (norm, context) => norm.Backward(x, out Tensor<float> _, null!)),
        ];
        foreach ((string name, Action<FusedNorm<float>, NormContext<float>> call) in calls)
        {
            Pending pending = new(true);
            pending.Refuses<ArgumentNullException>(name, x, norm => call(norm, pending.Context));
        }
    }

    /// <summary>There is a gradient of a residual where there was a residual.</summary>
    [TestMethod]
    public void GradientOfNoResidual_IsRefused()
    {
        const string message = "The forward of this context had no residual";
        Tensor<float> dy = Tensors.Random(3, Shape), dx = Tensors.Poisoned(Shape), dr = Tensors.Poisoned(Shape);
        Refusal refusal = new(() => Varied(Activation.ReLU), Shape);
        FusedNorm<float> norm = (FusedNorm<float>)refusal.Norm;
        refusal.Says<InvalidOperationException>(message, () => norm.Backward(dy, out Tensor<float> _, refusal.Context));
        refusal = new(() => Varied(Activation.ReLU), Shape);
        norm = (FusedNorm<float>)refusal.Norm;
        refusal.Says<InvalidOperationException>(message, () => norm.Backward(dy, out Tensor<float> _));
        refusal = new(() => Varied(Activation.None), Shape);
        norm = (FusedNorm<float>)refusal.Norm;
        refusal.Says<InvalidOperationException>(
            message,
            () => norm.Backward(
                dy.AsReadOnlyTensorSpan(), refusal.Input.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), dr.AsTensorSpan(), refusal.Context),
            dx, dr);

        // A context that once had a residual, and has none any more.
        NormContext<float> context = new();
        norm = (FusedNorm<float>)Varied(Activation.ReLU);
        norm.Forward(dy, dy, context);
        norm.Forward(dy, context);
        Assert.Contains(message, Assert.ThrowsExactly<InvalidOperationException>(() => norm.Backward(dy, out dr, context)).Message);
        norm.Backward(dy, context);
        Assert.ThrowsExactly<InvalidOperationException>(() => norm.Backward(dy, out dr, context), "the backward has run");
    }

    /// <summary>Lengths of a backward with a residual; and spans are not kept, also where the mask is.</summary>
    [TestMethod]
    public void BackwardsThatDoNotFitTheForward_AreRefused()
    {
        Tensor<float> dy = Tensors.Random(3, Shape), other = Tensors.Random(3, [4, 3, 2, 4]), dx = Tensors.Poisoned(Shape);
        Tensor<float> x = Tensors.Random(1, Shape);
        Pending pending;
        (string Message, Tensor<float>[] Tensors)[] cases =
        [
            ("gradOutput has size [4, 3, 2, 4]; expected [4, 3, 2, 5]", [other, x, dx, dy]),
            ("input has size [4, 3, 2, 4]; expected [4, 3, 2, 5]", [dy, other, dx, dy]),
            ("gradInput has size [4, 3, 2, 4]; expected [4, 3, 2, 5]", [dy, x, other, dy]),
            ("gradResidual has size [4, 3, 2, 4]; expected [4, 3, 2, 5]", [dy, x, dx, other]),
        ];
        foreach ((string message, Tensor<float>[] t) in cases)
        {
            pending = new(true);
            pending.Refuses<ArgumentException>(message, dx, norm => norm.Backward(
                t[0].AsReadOnlyTensorSpan(), t[1].AsReadOnlyTensorSpan(), t[2].AsTensorSpan(), t[3].AsTensorSpan(), pending.Context));
        }

        pending = new(true);
        pending.Refuses<ArgumentException>("input has size [4, 3, 2, 4]", dx, norm => norm.Backward(
            dy.AsReadOnlyTensorSpan(), other.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), pending.Context));

        FusedNorm<float> spans = (FusedNorm<float>)Varied(Activation.ReLU);
        NormContext<float> context = new();
        spans.Forward(x.AsReadOnlyTensorSpan(), dy.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
        InvalidOperationException exception = Assert.ThrowsExactly<InvalidOperationException>(() => spans.Backward(dy, out dx, context));
        Assert.Contains("call the Backward that takes spans", exception.Message);
        Assert.IsTrue(context.IsPending);
    }

    /// <summary>An exact match is the only way to share memory, and only where the comments say so.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(5)]
    [DataRow(119)]
    public void OverlapInPart_IsRefused(int distance)
    {
        Tensor<float> memory = Tensors.Random(7, [Count + distance]), x = Tensors.Random(1, Shape), dy = Tensors.Random(3, Shape);
        TensorSpan<float> View(int start) => memory.AsTensorSpan().Slice([start..(start + Count)]).Reshape([4, 3, 2, 5]);
        foreach (bool training in new[] { true, false })
        {
            Pending pending = new(training);
            pending.Refuses<ArgumentException>("output shares memory with residual", memory, norm => norm.Forward(
                x.AsReadOnlyTensorSpan(), (ReadOnlyTensorSpan<float>)View(0), View(distance), pending.Context));
            pending = new(training);
            pending.Refuses<ArgumentException>("gradResidual shares memory with gradOutput", memory, norm => norm.Backward(
                View(0), x.AsReadOnlyTensorSpan(), Tensors.Poisoned(Shape).AsTensorSpan(), View(distance), pending.Context));
            pending = new(training);
            pending.Refuses<ArgumentException>("gradResidual shares memory with gradInput", memory, norm => norm.Backward(
                dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), View(distance), View(0), pending.Context));
            pending = new(training);
            pending.Refuses<ArgumentException>("gradResidual shares memory with input", memory, norm => norm.Backward(
                dy.AsReadOnlyTensorSpan(), View(0), Tensors.Poisoned(Shape).AsTensorSpan(), View(distance), pending.Context));
        }
    }

    /// <summary>The gradient of the residual can be that of the output and nothing else; both gradients in one place, never.</summary>
    [TestMethod]
    public void GradientsInOnePlace_AreRefused()
    {
        Tensor<float> x = Tensors.Random(1, Shape), dy = Tensors.Random(3, Shape), dx = Tensors.Poisoned(Shape);
        (string Message, Tensor<float> Dx, Tensor<float> Dr)[] cases =
        [
            ("gradResidual shares memory with input", dx, x),
            ("gradResidual shares memory with gradInput", dx, dx),
            ("gradResidual shares memory with gradInput", dy, dy),
            ("gradResidual has stride 0 in dimension 0", dx, Tensor.Create(new float[Count], [4, 3, 2, 5], [0, 10, 5, 1])),
        ];
        foreach ((string message, Tensor<float> gradInput, Tensor<float> gradResidual) in cases)
        {
            Pending pending = new(true);
            pending.Refuses<ArgumentException>(message, dy, norm => norm.Backward(
                dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), gradInput.AsTensorSpan(), gradResidual.AsTensorSpan(),
                pending.Context));
        }
    }

    /// <summary>A module's own tensors are reachable; also through views that are packed, so that the library never sees them.</summary>
    [TestMethod]
    public void GradientsOverTheModulesState_AreRefused()
    {
        BatchNorm1d<float> norm = new(3) { Activation = Activation.ReLU };
        norm.Eval();
        Tensor<float> x = Tensors.Make([1, 2, 3], [1, 3]);
        NormContext<float> context = new();
        norm.Forward(x, x, context);
        ModuleState before = new(norm);
        foreach (Tensor<float> state in new[] { norm.Weight!.Value, norm.Weight.Gradient, norm.Bias!.Value, norm.Bias.Gradient })
        {
            Assert.ThrowsExactly<ArgumentException>(() => norm.Backward(
                x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), Tensors.Poisoned([1, 3]).AsTensorSpan(),
                state.AsTensorSpan().Reshape([1, 3]), context));
            Assert.ThrowsExactly<ArgumentException>(() => norm.Backward(
                x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), state.AsTensorSpan().Reshape([1, 3]), context));
        }

        norm.Train();
        Tensor<float> two = Tensors.Random(1, [2, 3]);
        foreach (Tensor<float> state in new[] { norm.RunningMean!, norm.RunningVar! })
        {
            Assert.ThrowsExactly<ArgumentException>(() => norm.Forward(
                two.AsReadOnlyTensorSpan(), new ReadOnlyTensorSpan<float>(state.DenseSpan(), [2, 3], [0, 1]),
                Tensors.Poisoned([2, 3]).AsTensorSpan(), context));
        }

        norm.Eval();
        before.AssertEqual(new ModuleState(norm), "after the refused calls");
        Assert.IsTrue(context.IsPending);
    }

    /// <summary>Masks are arrays. Tensors that need larger ones are beyond this test's memory.</summary>
    [TestMethod]
    [DataRow(0, 1)]
    [DataRow(1, 1)]
    [DataRow(8, 1)]
    [DataRow(9, 2)]
    [DataRow(8L * 0x7FFFFFC7, 0x7FFFFFC7)]
    public void MaskBytes_AreABitForEachElement(long elements, int bytes) =>
        Assert.AreEqual(bytes, ResidualCalls.MaskBytes([(nint)elements], (nint)elements));

    [TestMethod]
    [DataRow((8L * 0x7FFFFFC7) + 1)]
    [DataRow(long.MaxValue)]
    public void MasksThatNoArrayCanHold_AreRefused(long elements)
    {
        ArgumentException exception = Assert.ThrowsExactly<ArgumentException>(
            () => ResidualCalls.MaskBytes([(nint)elements], (nint)elements));
        Assert.Contains($"input of size [{elements}] needs a mask of {(elements / 8) + 1} bytes; expected at most", exception.Message);
    }

    private static NormModule<float> Varied(Activation activation)
    {
        BatchNorm2d<float> norm = new(3) { Activation = activation };
        ModuleTypes.Vary(norm);
        return norm;
    }

    /// <summary>As <see cref="Refusal"/>, with a forward with a residual that awaits its backward.</summary>
    private sealed class Pending
    {
        private readonly FusedNorm<float> _norm;
        private readonly FusedNorm<float> _twin;
        private readonly NormContext<float> _twinContext = new();

        internal Pending(bool training)
        {
            _norm = Make(training, Context);
            _twin = Make(training, _twinContext);
        }

        internal NormContext<float> Context { get; } = new();

        internal void Refuses<TException>(string text, Tensor<float> watched, Action<FusedNorm<float>> call)
            where TException : Exception
        {
            ModuleState before = new(_norm);
            float[] contents = Tensors.Flat(watched);
            Assert.Contains(text, Assert.ThrowsExactly<TException>(() => call(_norm)).Message);
            before.AssertEqual(new ModuleState(_norm), text);
            Expect.SameBits(contents, Tensors.Flat(watched), $"the watched tensor, {text}");
            Tensor<float> dy = Tensors.Random(9, Shape);
            Tensor<float> dx = _norm.Backward(dy, out Tensor<float> dr, Context);
            Tensor<float> expected = _twin.Backward(dy, out Tensor<float> expectedResidual, _twinContext);
            Expect.SameBits(Tensors.Flat(expected), Tensors.Flat(dx), $"pending dx, {text}");
            Expect.SameBits(Tensors.Flat(expectedResidual), Tensors.Flat(dr), $"pending dr, {text}");
            new ModuleState(_twin).AssertEqual(new ModuleState(_norm), $"after the pending backward, {text}");
        }

        private static FusedNorm<float> Make(bool training, NormContext<float> context)
        {
            FusedNorm<float> norm = (FusedNorm<float>)Varied(Activation.ReLU).Train(training);
            norm.Forward(Tensors.Random(1, Shape), Tensors.Random(2, Shape), context);
            return norm;
        }
    }
}
