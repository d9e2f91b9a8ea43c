using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Fused;

/// <summary>Numbers that are none, tensors without elements, and a bias that is not there.</summary>
[TestClass]
public sealed class FusedSpecialTests
{
    private const float Inf = float.PositiveInfinity;

    // In evaluation with eps 0 and new buffers, a BatchNorm is y = x.
    private static readonly float[] X = [-0f, 0f, 1, -1, Inf, -Inf, float.NaN, float.Epsilon, -float.Epsilon];

    [TestMethod]
    public void ReLU_OfSpecialNumbers()
    {
        BatchNorm1d<float> norm = Identity(Activation.ReLU);
        float[] y = Tensors.Flat(norm.Forward(Row(X)));
        Bits([0, 0, 1, 0, Inf, 0, float.NaN, float.Epsilon, 0], y, "y");
        Bits([0, 0, 7, 0, 7, 0, 7, 7, 0], Tensors.Flat(norm.Backward(Row([7, 7, 7, 7, 7, 7, 7, 7, 7]))), "dx");
    }

    [TestMethod]
    public void ReLU_OfSpecialSums()
    {
        BatchNorm1d<float> norm = Identity(Activation.ReLU);
        float[] y = Tensors.Flat(norm.Forward(Row(X), Row([0, -0f, -1, 2, -Inf, Inf, 1, 0, float.Epsilon])));
        Bits([0, 0, 0, 1, float.NaN, float.NaN, float.NaN, float.Epsilon, 0], y, "y");
        norm.Backward(Row([7, 7, 7, 7, 7, 7, 7, 7, 7]), out Tensor<float> dr);
        Bits([0, 0, 0, 7, 7, 7, 7, 7, 0], Tensors.Flat(dr), "dr");
    }

    [TestMethod]
    public void SiLU_OfSpecialNumbers()
    {
        float[] y = Tensors.Flat(Identity(Activation.SiLU).Forward(Row([0, Inf, -Inf, float.NaN, 100, -200])));
        Bits([0, Inf, float.NaN, float.NaN, 100], y[..5], "y");
        Assert.IsLessThanOrEqualTo(1e-30f, Math.Abs(y[5]));
    }

    /// <summary>The batch without samples: nothing to do, and no error.</summary>
    [TestMethod]
    [DataRow("BatchNorm2d", "0x3x4x5")]
    [DataRow("BatchNorm2d", "0x3x0x5")]
    [DataRow("InstanceNorm2d", "0x3x4x5")]
    [DataRow("GroupNorm", "0x3x4")]
    public void EmptyBatches_HaveNoGradients(string layer, string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        foreach (bool training in new[] { true, false })
        {
            FusedNorm<float> norm = (FusedNorm<float>)ModuleTypes.Make<float>(
                layer, new ModuleSettings { Channels = 3, Groups = 3, Activation = Activation.ReLU });
            norm.Train(training);
            ModuleState before = new(norm);
            Tensor<float> none = Tensors.Make([], shape);
            CollectionAssert.AreEqual(Tensors.Lengths(shape), norm.Forward(none, none).Lengths.ToArray());
            CollectionAssert.AreEqual(Tensors.Lengths(shape), norm.Backward(none, out Tensor<float> dr).Lengths.ToArray());
            CollectionAssert.AreEqual(Tensors.Lengths(shape), dr.Lengths.ToArray());
            NormContext<float> context = new();
            norm.Forward(none.AsReadOnlyTensorSpan(), none.AsReadOnlyTensorSpan(), none.AsTensorSpan(), context);
            norm.Backward(none.AsReadOnlyTensorSpan(), none.AsReadOnlyTensorSpan(), none.AsTensorSpan(), none.AsTensorSpan(), context);
            norm.Forward(none);
            norm.Backward(none);
            before.AssertSameNumbers(new ModuleState(norm), "afterwards");
        }
    }

    /// <summary>The overloads without a residual are those that are called without one, also with null for a context.</summary>
    [TestMethod]
    public void NullContext_IsNoResidual()
    {
        BatchNorm1d<float> norm = Identity(Activation.None);
        Tensor<float> x = Row([1, 2, 3]), y = Tensors.Poisoned([3, 1]);
        norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), null);
        Bits([1, 2, 3], Tensors.Flat(y), "y");
    }

    private static BatchNorm1d<float> Identity(Activation activation)
    {
        BatchNorm1d<float> norm = new(1, eps: 0) { Activation = activation };
        return norm.Eval();
    }

    // As samples of one channel.
    private static Tensor<float> Row(float[] values) => Tensors.Make(values, [values.Length, 1]);

    // NaNs of any bits are equal, zeros of different signs are not.
    private static void Bits(float[] expected, float[] actual, string name) => Expect.SameBits(
        Array.ConvertAll(expected, Canonical), Array.ConvertAll(actual, Canonical), name);

    private static float Canonical(float value) => float.IsNaN(value) ? float.NaN : value;
}
