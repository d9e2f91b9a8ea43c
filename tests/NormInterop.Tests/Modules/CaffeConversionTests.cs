using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>A BatchNorm and Scale pair of Caffe as one BatchNorm of PyTorch.</summary>
[TestClass]
public sealed class CaffeConversionTests
{
    [TestMethod]
    [DataRow("5x3", 0.999, 1)]
    [DataRow("5x3x4", 0.9, -2)]
    [DataRow("2x3x4x5", 0.5, 1)]
    [DataRow("2x3x4x5", 0.999, -3)]
    [DataRow("2x3x2x3x4", 0.0, 1)]
    public void EvaluationOfTheResult_IsThatOfThePair(string lengths, double fraction, int axis)
    {
        int[] shape = Tensors.Shape(lengths);
        foreach (bool biasTerm in new[] { true, false })
        {
            CaffeBatchNorm<double> norm = new(3, 1e-3, fraction);
            CaffeScale<double> scale = new([3], axis, biasTerm);
            ModuleTypes.Vary(scale);
            for (ulong step = 1; step <= 3; step++)
                norm.Forward(Data.Make<double>(Data.Doubles(Values.Of(step, Tensors.Count(shape), offset: step)), shape));
            BatchNorm<double> converted = Convert(norm, scale, shape.Length);
            double factor = norm.Factor[0];
            Close.Relative(1e-15, Divided(norm.MeanSum, factor), Data.Flat(converted.RunningMean!), "running mean");
            Close.Relative(1e-15, Divided(norm.VarSum, factor), Data.Flat(converted.RunningVar!), "running var");
            Expect.SameBits(Data.Flat(scale.Weight!.Value), Data.Flat(converted.Weight!.Value), "weight");
            Expect.SameBits(biasTerm ? Data.Flat(scale.Bias!.Value) : new double[3], Data.Flat(converted.Bias!.Value), "bias");

            Tensor<double> x = Data.Make<double>(Data.Doubles(Values.Of(9, Tensors.Count(shape))), shape);
            double[] pair = Data.Flat(scale.Eval().Forward(norm.Eval().Forward(x))), one = Data.Flat(converted.Eval().Forward(x));
            Close.Relative(1e-14, pair, one, "y", scale: 1);
            Tensor<double> dy = Data.Make<double>(Data.Doubles(Values.Of(10, Tensors.Count(shape))), shape);
            Close.Relative(1e-14, Data.Flat(norm.Backward(scale.Backward(dy))), Data.Flat(converted.Backward(dy)), "dx", scale: 1);
            Close.Relative(1e-13, Data.Flat(scale.Weight.Gradient), Data.Flat(converted.Weight.Gradient), "weight gradient", scale: 1);
        }
    }

    /// <summary>Settings go with it: eps, momentum, threads, and the mode of the BatchNorm.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Result_KeepsSettingsAndMode(bool training)
    {
        CaffeBatchNorm<float> norm = new CaffeBatchNorm<float>(3, 1e-3, 0.75) { MaxThreads = 5 }.Train(training);
        CaffeScale<float> scale = new CaffeScale<float>([3]).Train(!training);
        BatchNorm<float>[] results = [norm.ToBatchNorm1d(scale), norm.ToBatchNorm2d(), norm.ToBatchNorm3d(scale)];
        foreach (BatchNorm<float> converted in results)
        {
            Assert.AreEqual(3, converted.NumFeatures);
            Assert.AreEqual(1e-3, converted.Eps);
            Assert.AreEqual(0.25, converted.Momentum);
            Assert.AreEqual(5, converted.MaxThreads);
            Assert.AreEqual(training, converted.IsTraining);
            Assert.AreEqual(0, converted.NumBatchesTracked);
            CollectionAssert.AreEqual(new float[] { 1, 1, 1, 0, 0, 0 },
                (float[])[.. Tensors.Flat(converted.Weight!.Value), .. Tensors.Flat(converted.Bias!.Value)]);
        }

        Assert.AreEqual(!training, scale.IsTraining, "the scale is only read");
    }

    /// <summary>A factor of 0 means that mean and variance are 0, not what a new BatchNorm starts with.</summary>
    [TestMethod]
    public void UntrainedLayer_HasMeanAndVarianceZero()
    {
        CaffeBatchNorm<float> norm = new CaffeBatchNorm<float>(2, eps: 0.25).Eval();
        BatchNorm1d<float> converted = norm.ToBatchNorm1d();
        CollectionAssert.AreEqual(new float[4], (float[])[.. Tensors.Flat(converted.RunningMean!), .. Tensors.Flat(converted.RunningVar!)]);
        Tensor<float> x = Tensor.Create<float>([1, -2], [1, 2]);
        CollectionAssert.AreEqual(new float[] { 2, -4 }, Tensors.Flat(norm.Forward(x)));
        CollectionAssert.AreEqual(new float[] { 2, -4 }, Tensors.Flat(converted.Forward(x)));
    }

    /// <summary>Copies: what happens to one afterwards is no matter to the other.</summary>
    [TestMethod]
    public void Result_SharesNothing()
    {
        CaffeBatchNorm<float> norm = new(3);
        CaffeScale<float> scale = new([3], biasTerm: true);
        norm.Forward(Tensors.Random(1, [4, 3]));
        BatchNorm1d<float> converted = norm.ToBatchNorm1d(scale);
        ModuleState before = new(norm), scaleBefore = new(scale);
        converted.Forward(Tensors.Random(2, [4, 3]));
        converted.Weight!.Value.Fill(9);
        converted.Bias!.Value.Fill(9);
        before.AssertEqual(new ModuleState(norm), "the layer");
        scaleBefore.AssertEqual(new ModuleState(scale), "the scale");
    }

    /// <summary>One of other channels, of several dimensions or of none, and one that stands at another dimension.</summary>
    [TestMethod]
    [DataRow("4", 1)]
    [DataRow("3", 2)]
    [DataRow("3", 0)]
    [DataRow("3x1", 1)]
    [DataRow("1", 1)]
    [DataRow("", 1)]
    [DataRow("3", -2)]
    [DataRow("3", -4)]
    public void ScaleThatDoesNotFit_IsRefused(string shape, int axis)
    {
        CaffeBatchNorm<float> norm = new(3);
        CaffeScale<float> scale = new(shape.Length == 0 ? [] : Tensors.Shape(shape), axis);
        ModuleState before = new(norm), scaleBefore = new(scale);
        var e = Assert.ThrowsExactly<ArgumentException>(() => norm.ToBatchNorm2d(scale));
        Assert.AreEqual("scale", e.ParamName);
        Assert.Contains("Expected a scale of 3 channels in dimension 1, got size [", e.Message);
        Assert.Contains($"] from axis {axis}, with {scale.NumAxes} axes", e.Message);
        before.AssertEqual(new ModuleState(norm), "after the refused call");
        scaleBefore.AssertEqual(new ModuleState(scale), "after the refused call");
    }

    private static BatchNorm<double> Convert(CaffeBatchNorm<double> norm, CaffeScale<double> scale, int rank) => rank switch
    {
        2 or 3 => norm.ToBatchNorm1d(scale),
        4 => norm.ToBatchNorm2d(scale),
        _ => norm.ToBatchNorm3d(scale),
    };

    private static double[] Divided(Tensor<double> sums, double factor) => Array.ConvertAll(Data.Flat(sums), sum => sum / factor);
}
