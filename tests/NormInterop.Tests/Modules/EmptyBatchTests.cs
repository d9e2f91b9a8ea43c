using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>The batch without samples, as the last one of a data set that was divided among workers: nothing to do, and no error.</summary>
[TestClass]
public sealed class EmptyBatchTests
{
    [TestMethod]
    [DataRow("0x3", true)]
    [DataRow("0x3", false)]
    [DataRow("0x3x4", true)]
    [DataRow("0x3x4x5", true)]
    [DataRow("0x3x4x5", false)]
    [DataRow("0x3x1x1", true)]
    [DataRow("0x3x0x5", true)]
    [DataRow("0x3x2x4x5", true)]
    [DataRow("0x3x2x4x5", false)]
    public void Tensors_KeepTheShapeAndMoveOnlyTheCounter(string lengths, bool training)
    {
        int[] shape = Tensors.Shape(lengths);
        BatchNorm<float> norm = Layers.Varied(shape);
        norm.Train(training);
        ModuleState before = new(norm);
        Tensor<float> y = norm.Forward(Tensors.Make([], shape));
        CollectionAssert.AreEqual(Tensors.Lengths(shape), y.Lengths.ToArray());
        Tensor<float> dx = norm.Backward(Tensors.Make([], shape));
        CollectionAssert.AreEqual(Tensors.Lengths(shape), dx.Lengths.ToArray());
        AssertOnlyCounterMoved(norm, before, training);
    }

    [TestMethod]
    [DataRow("0x3", true)]
    [DataRow("0x3x4x5", true)]
    [DataRow("0x3x4x5", false)]
    [DataRow("0x3x0x5", true)]
    public void Spans_MoveOnlyTheCounter(string lengths, bool training)
    {
        int[] shape = Tensors.Shape(lengths);
        BatchNorm<float> norm = Layers.Varied(shape);
        norm.Train(training);
        ModuleState before = new(norm);
        NormContext<float> context = new();
        Tensor<float> x = Tensors.Make([], shape), y = Tensors.Make([], shape), dx = Tensors.Make([], shape);
        norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
        Assert.IsTrue(context.IsPending);
        norm.Backward(y.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
        Assert.IsFalse(context.IsPending);
        AssertOnlyCounterMoved(norm, before, training);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Function_KeepsTheShapeAndTheBuffers(bool training)
    {
        Tensor<float> mean = Tensor.Create<float>([1, 2]), var = Tensor.Create<float>([3, 4]), weight = Tensor.Create<float>([5, 6]);
        Tensor<float> dweight = Tensor.Create<float>([7, 8]), dbias = Tensor.Create<float>([9, 10]);
        NormContext<float> context = new();
        Tensor<float> y = Norm.BatchNorm(Tensors.Make([], [0, 2, 5]), mean, var, weight, training: training, context: context);
        CollectionAssert.AreEqual(Tensors.Lengths(0, 2, 5), y.Lengths.ToArray());
        Tensor<float> dx = Norm.BatchNormBackward(y, context, weight, dweight, dbias);
        CollectionAssert.AreEqual(Tensors.Lengths(0, 2, 5), dx.Lengths.ToArray());
        CollectionAssert.AreEqual(
            new float[] { 1, 2, 3, 4, 7, 8, 9, 10 },
            (float[])[.. Tensors.Flat(mean), .. Tensors.Flat(var), .. Tensors.Flat(dweight), .. Tensors.Flat(dbias)]);
    }

    // Gradients of nothing are zero, and zero has been added to what was there.
    private static void AssertOnlyCounterMoved(BatchNorm<float> norm, ModuleState before, bool training)
    {
        Assert.AreEqual(training ? 1 : 0, norm.NumBatchesTracked);
        before.AssertSameNumbers(new ModuleState(norm), "afterwards");
    }
}
