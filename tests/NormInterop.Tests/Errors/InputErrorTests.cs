using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Inputs of the wrong shape or type: the message, and that nothing has happened.</summary>
[TestClass]
public sealed class InputErrorTests
{
    [TestMethod]
    [DataRow("BatchNorm1d", "3", "expected 2D or 3D input (got 1D input)")]
    [DataRow("BatchNorm1d", "2x3x4x5", "expected 2D or 3D input (got 4D input)")]
    [DataRow("BatchNorm2d", "2x3", "expected 4D input (got 2D input)")]
    [DataRow("BatchNorm2d", "2x3x4", "expected 4D input (got 3D input)")]
    [DataRow("BatchNorm2d", "2x3x4x5x6", "expected 4D input (got 5D input)")]
    [DataRow("BatchNorm3d", "2x3x4x5", "expected 5D input (got 4D input)")]
    [DataRow("BatchNorm3d", "2x3x1x4x5x6", "expected 5D input (got 6D input)")]
    public void WrongRank_IsRefused(string layer, string lengths, string message)
    {
        int[] shape = Tensors.Shape(lengths);
        AssertRefusedEverywhere(layer, shape, message);
    }

    [TestMethod]
    [DataRow("BatchNorm1d", "2x4", "expected input with 3 channels (got 4 channels, input size [2, 4])")]
    [DataRow("BatchNorm1d", "3x2x3", "expected input with 3 channels (got 2 channels, input size [3, 2, 3])")]
    [DataRow("BatchNorm2d", "2x1x3x3", "expected input with 3 channels (got 1 channels, input size [2, 1, 3, 3])")]
    [DataRow("BatchNorm2d", "2x0x3x3", "expected input with 3 channels (got 0 channels, input size [2, 0, 3, 3])")]
    [DataRow("BatchNorm2d", "0x4x3x3", "expected input with 3 channels (got 4 channels, input size [0, 4, 3, 3])")]
    [DataRow("BatchNorm3d", "2x6x1x1x3", "expected input with 3 channels (got 6 channels, input size [2, 6, 1, 1, 3])")]
    public void WrongChannelCount_NamesBoth(string layer, string lengths, string message)
    {
        int[] shape = Tensors.Shape(lengths);
        AssertRefusedEverywhere(layer, shape, message);
    }

    [TestMethod]
    [DataRow("BatchNorm1d", "1x3")]
    [DataRow("BatchNorm1d", "1x3x1")]
    [DataRow("BatchNorm2d", "1x3x1x1")]
    [DataRow("BatchNorm3d", "1x3x1x1x1")]
    public void OneValuePerChannel_IsRefusedWhereTheBatchIsNormalized(string layer, string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        string message = $"Expected more than 1 value per channel when training, got input size [{string.Join(", ", shape)}]";
        AssertRefusedEverywhere(layer, shape, message);

        // Without running buffers evaluation is no way out; with them it is.
        BatchNorm<float> untracked = Layers.Make(layer, 3, trackRunningStats: false), tracked = Layers.Make(layer, 3);
        Tensor<float> x = Tensors.Make(new float[3], shape);
        Assert.Contains(message, Assert.ThrowsExactly<ArgumentException>(() => untracked.Eval().Forward(x)).Message);
        CollectionAssert.AreEqual(new float[3], Tensors.Flat(tracked.Eval().Forward(x)));
    }

    [TestMethod]
    [DataRow("2x3x0x4")]
    [DataRow("2x3x4x0")]
    public void NoPositions_AreRefused(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        AssertRefusedEverywhere(
            "BatchNorm2d", shape, $"Expected at least 1 value per channel, got input size [{string.Join(", ", shape)}]");
    }

    [TestMethod]
    public void NoTensorAtAll_IsRefused()
    {
        Refusal refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentNullException>("input", () => refusal.Norm.Forward<float>(null!));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentNullException>("context", () => refusal.Norm.Forward(refusal.Input, null!));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>(
            "got 0D input", () => refusal.Norm.Forward(default(ReadOnlyTensorSpan<float>), default, refusal.Context));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>("got 0D input", () => refusal.Norm.Forward(Tensor<float>.Empty, refusal.Context));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>(
            "output has size []", () => refusal.Norm.Forward(refusal.Input.AsReadOnlyTensorSpan(), default, refusal.Context));
    }

    [TestMethod]
    [DataRow("4x3x2")]
    [DataRow("4x3x5x2")]
    [DataRow("3x3x2x5")]
    [DataRow("4x3x2x5x1")]
    [DataRow("4x1x2x5")]
    public void OtherLengthsOfTheOutput_AreRefused(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        Refusal refusal = new(4, 3, 2, 5);
        Tensor<float> output = Tensors.Poisoned(shape);
        refusal.Says<ArgumentException>(
            $"output has size [{string.Join(", ", shape)}]; expected [4, 3, 2, 5], the size of the input",
            () => refusal.Norm.Forward(refusal.Input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context), output);
    }

    /// <summary>No element is there but one; the sizes alone are what is wrong.</summary>
    [TestMethod]
    [DataRow(65536L, 3L, 32768L, 1L)]
    [DataRow(65536L, 3L, 65536L, 1L)]
    [DataRow(1L << 31, 3L, 1L, 1L)]
    [DataRow(1L << 30, 3L, 1L << 30, 1L)]
    public void TensorsBeyondAnArray_AreRefusedByShape(long n, long c, long h, long w)
    {
        nint[] lengths = [(nint)n, (nint)c, (nint)h, (nint)w];
        Tensor<float> huge = Tensor.Create(new float[1], lengths, new nint[4]);
        string size = $"[{n}, {c}, {h}, {w}]";
        Refusal refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>(size, () => refusal.Norm.Forward(huge, refusal.Context));
        refusal = new(4, 3, 2, 5);
        Tensor<float> output = Tensors.Poisoned([4, 3, 2, 5]);
        refusal.Says<ArgumentException>(
            size, () => refusal.Norm.Forward(huge.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context), output);
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>(size, () => refusal.Norm.Backward(huge, refusal.Context));
        var e = Assert.ThrowsExactly<ArgumentException>(() => Norm.BatchNorm<float, float>(huge, null, null, training: true));
        Assert.Contains(size, e.Message);

        // As an output it is one element, written over and over.
        Tensor<float> single = Tensor.Create(new float[1], lengths, new nint[4]);
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>(
            "stride 0", () => refusal.Norm.Forward(huge.AsReadOnlyTensorSpan(), single.AsTensorSpan(), refusal.Context), output);
    }

    // Through a tensor and through spans, with a context that is still needed.
    private static void AssertRefusedEverywhere(string layer, int[] shape, string message)
    {
        int[] good = [4, 3, 2, 3, 2];
        good = good[..(layer[9] - '0' + 2)];
        Tensor<float> input = Tensors.Make(new float[Tensors.Count(shape)], shape), output = Tensors.Poisoned(shape);
        Refusal refusal = new(good);
        refusal.Says<ArgumentException>(message, () => refusal.Norm.Forward(input, refusal.Context));
        refusal = new(good);
        refusal.Says<ArgumentException>(message, () => refusal.Norm.Forward(input));
        refusal = new(good);
        refusal.Says<ArgumentException>(
            message, () => refusal.Norm.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context), output);
    }
}
