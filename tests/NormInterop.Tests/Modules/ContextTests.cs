using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Contexts: several forwards that await their backward, reuse, and calls in the wrong order.</summary>
[TestClass]
public sealed class ContextTests
{
    private static readonly int[] Shape = [4, 3, 5, 2];
    private static readonly Tensor<float> X1 = Tensors.Random(1, Shape);
    private static readonly Tensor<float> X2 = Tensors.Random(2, Shape, offset: 5);
    private static readonly Tensor<float> Dy1 = Tensors.Random(3, Shape);
    private static readonly Tensor<float> Dy2 = Tensors.Random(4, Shape);

    /// <summary>Weight sharing: the layer stands at two places of a network.</summary>
    [TestMethod]
    public void TwoForwards_BeforeTheirBackwards_AreIndependent()
    {
        BatchNorm<float> apart = Layers.Varied(Shape), shared = Layers.Varied(Shape);
        apart.Forward(X1);
        float[] dx1 = Tensors.Flat(apart.Backward(Dy1));
        apart.Forward(X2);
        float[] dx2 = Tensors.Flat(apart.Backward(Dy2));

        NormContext<float> first = new(), second = new();
        shared.Forward(X1, first);
        shared.Forward(X2, second);
        Expect.SameBits(dx1, Tensors.Flat(shared.Backward(Dy1, first)), "dx of the first");
        Expect.SameBits(dx2, Tensors.Flat(shared.Backward(Dy2, second)), "dx of the second");
        new ModuleState(apart).AssertEqual(new ModuleState(shared), "afterwards");
    }

    [TestMethod]
    public void OwnContextAndExplicitContext_DoNotMix()
    {
        BatchNorm<float> norm = Layers.Varied(Shape), twin = Layers.Varied(Shape);
        twin.Forward(X1);
        float[] dx1 = Tensors.Flat(twin.Backward(Dy1));
        NormContext<float> context = new();
        norm.Forward(X1);
        norm.Forward(X2, context);
        Expect.SameBits(dx1, Tensors.Flat(norm.Backward(Dy1)), "dx of the module's own context");
        Assert.IsTrue(context.IsPending);
        norm.Backward(Dy2, context);
        Assert.IsFalse(context.IsPending);
    }

    /// <summary>A context goes from module to module, from more channels to fewer and back, and between modes.</summary>
    [TestMethod]
    public void Context_CanBeReused()
    {
        NormContext<float> context = new();
        Assert.IsFalse(context.IsPending);
        foreach ((string lengths, bool training) in new[]
        {
            ("4x7x3", true), ("3x2", true), ("2x9x2x2", false), ("5x3", false), ("4x7x3", true), ("2x11x1x2x2", true),
        })
        {
            int[] shape = Tensors.Shape(lengths);
            BatchNorm<float> norm = Layers.Varied(shape), fresh = Layers.Varied(shape);
            Tensor<float> x = Tensors.Random(5, shape);
            Tensor<float> dy = Tensors.Random(6, shape);
            fresh.Train(training).Forward(x);
            norm.Train(training).Forward(x, context);
            Expect.SameBits(Tensors.Flat(fresh.Backward(dy)), Tensors.Flat(norm.Backward(dy, context)), $"dx of {lengths}");
            new ModuleState(fresh).AssertEqual(new ModuleState(norm), lengths);
        }
    }

    [TestMethod]
    public void SecondForward_OverwritesThePendingOne()
    {
        BatchNorm<float> norm = Layers.Varied(Shape), twin = Layers.Varied(Shape);
        twin.Forward(X2);
        norm.Forward(X1);
        norm.Forward(X2);
        Expect.SameBits(Tensors.Flat(twin.Backward(Dy2)), Tensors.Flat(norm.Backward(Dy2)), "dx");
    }

    /// <summary>A training step between an evaluation and its backward moves the buffers, but not those that the evaluation used.</summary>
    [TestMethod]
    public void EvaluationContext_KeepsTheBuffersItHasUsed()
    {
        BatchNorm<float> norm = Layers.Varied(Shape), twin = Layers.Varied(Shape);
        NormContext<float> context = new(), twinContext = new();
        twin.Eval().Forward(X1, twinContext);
        float[] expected = Tensors.Flat(twin.Backward(Dy1, twinContext));

        norm.Eval().Forward(X1, context);
        norm.Train().Forward(X2);
        norm.ResetRunningStats();
        norm.RunningVar!.Fill(float.NaN);
        Expect.SameBits(expected, Tensors.Flat(norm.Backward(Dy1, context)), "dx");
        Expect.SameBits(Tensors.Flat(twin.Weight!.Gradient), Tensors.Flat(norm.Weight!.Gradient), "weight gradient");
    }

    /// <summary>Spans cannot be kept, so their backward must be given the input again; the mistake costs nothing.</summary>
    [TestMethod]
    public void SpanForward_ThenTensorBackward_IsRefusedAndCanBeMadeGood()
    {
        BatchNorm<float> norm = Layers.Varied(Shape), twin = Layers.Varied(Shape);
        NormContext<float> context = new();
        Tensor<float> y = Tensors.Poisoned(Shape), dx = Tensors.Poisoned(Shape);
        float[] expected = Tensors.Flat(twin.Forward(X1)), gradient = Tensors.Flat(twin.Backward(Dy1));
        norm.Forward(X1.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
        Expect.SameBits(expected, Tensors.Flat(y), "y");
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => norm.Backward(Dy1, context));
        Assert.Contains("spans", e.Message);
        Assert.IsTrue(context.IsPending);
        norm.Backward(Dy1.AsReadOnlyTensorSpan(), X1.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
        Expect.SameBits(gradient, Tensors.Flat(dx), "dx");
        new ModuleState(twin).AssertEqual(new ModuleState(norm), "afterwards");
    }

    [TestMethod]
    public void TensorForward_ThenSpanBackward_Works()
    {
        BatchNorm<float> norm = Layers.Varied(Shape), twin = Layers.Varied(Shape);
        NormContext<float> context = new();
        twin.Forward(X1);
        norm.Forward(X1, context);
        Tensor<float> dx = Tensors.Poisoned(Shape);
        norm.Backward(Dy1.AsReadOnlyTensorSpan(), X1.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
        Expect.SameBits(Tensors.Flat(twin.Backward(Dy1)), Tensors.Flat(dx), "dx");
    }

    /// <summary>A forward by spans into a context that still holds a tensor of the forward before must not use that one.</summary>
    [TestMethod]
    public void SpanForward_ForgetsTheTensorOfTheForwardBefore()
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        NormContext<float> context = new();
        norm.Forward(X1, context);
        norm.Forward(X2.AsReadOnlyTensorSpan(), Tensors.Poisoned(Shape).AsTensorSpan(), context);
        Assert.ThrowsExactly<InvalidOperationException>(() => norm.Backward(Dy1, context));
    }

    [TestMethod]
    public void Backward_InTheWrongOrder_IsRefused()
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        NormContext<float> context = new();
        AssertWrongOrder(norm, () => norm.Backward(Dy1));
        AssertWrongOrder(norm, () => norm.Backward(Dy1, context));
        AssertWrongOrder(norm, () => norm.Backward(
            Dy1.AsReadOnlyTensorSpan(), X1.AsReadOnlyTensorSpan(), Tensors.Poisoned(Shape).AsTensorSpan(), context));
        norm.Forward(X1);
        norm.Backward(Dy1);
        AssertWrongOrder(norm, () => norm.Backward(Dy1));
        norm.Forward(X1, context);
        norm.Backward(Dy1, context);
        AssertWrongOrder(norm, () => norm.Backward(Dy1, context));
        AssertWrongOrder(norm, () => Norm.BatchNormBackward(Dy1, context));

        // A forward without a context leaves nothing behind.
        norm.Forward(X1.AsReadOnlyTensorSpan(), Tensors.Poisoned(Shape).AsTensorSpan());
        AssertWrongOrder(norm, () => norm.Backward(Dy1));
    }

    [TestMethod]
    public void Backward_WithAContextOfSomeoneElse_IsRefused()
    {
        BatchNorm<float> norm = Layers.Varied(Shape), other = Layers.Varied(Shape);
        NormContext<float> context = new();
        other.Forward(X1, context);
        AssertWrongOrder(norm, () => norm.Backward(Dy1, context));
        AssertWrongOrder(norm, () => Norm.BatchNormBackward(Dy1, context));
        Assert.IsTrue(context.IsPending);
        other.Backward(Dy1, context);

        Norm.BatchNorm(X1, null, null, training: true, context: context);
        AssertWrongOrder(norm, () => norm.Backward(Dy1, context));
        Assert.IsTrue(context.IsPending);
        Norm.BatchNormBackward(Dy1, context);
        AssertWrongOrder(norm, () => Norm.BatchNormBackward(Dy1, context));
    }

    private static void AssertWrongOrder(BatchNorm<float> norm, Action call)
    {
        ModuleState before = new(norm);
        Assert.ThrowsExactly<InvalidOperationException>(call);
        before.AssertEqual(new ModuleState(norm), "after the refused call");
    }
}
