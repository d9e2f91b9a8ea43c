using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Running buffers, their counter, and the modes that use or do without them.</summary>
[TestClass]
public sealed class RunningStatisticsTests
{
    private static readonly int[] Shape = [5, 3, 4, 2];

    [TestMethod]
    [DataRow(0.1)]
    [DataRow(0.0)]
    [DataRow(1.0)]
    [DataRow(-0.5)]
    [DataRow(1.5)]
    [DataRow(null)]
    public void Buffers_FollowTheFormula(double? momentum)
    {
        BatchNorm2d<float> norm = new(3, momentum: momentum);
        double[] mean = new double[3], variance = [1, 1, 1];
        for (int step = 1; step <= 4; step++)
        {
            float[] x = Values.Of((ulong)step, Tensors.Count(Shape), offset: step);
            norm.Forward(Tensors.Make(x, Shape));
            double share = momentum ?? 1.0 / step;
            for (int c = 0; c < 3; c++)
            {
                (double batchMean, double unbiased) = MeanAndUnbiasedVariance(Channel(x, c));
                mean[c] = ((1 - share) * mean[c]) + (share * batchMean);
                variance[c] = ((1 - share) * variance[c]) + (share * unbiased);
            }

            Expect.Buffer(mean, Tensors.Flat(norm.RunningMean!), $"running mean after step {step}");
            Expect.Buffer(variance, Tensors.Flat(norm.RunningVar!), $"running var after step {step}");
            Assert.AreEqual(step, norm.NumBatchesTracked);
        }
    }

    /// <summary>Two values 1 and 3: the biased variance is 1, the unbiased one 2.</summary>
    [TestMethod]
    public void RunningVar_TakesTheUnbiasedVariance_AndTheOutputTheBiasedOne()
    {
        BatchNorm1d<float> norm = new(1, eps: 0, momentum: 1);
        Tensor<float> y = norm.Forward(Tensor.Create<float>([1, 3], [2, 1]));
        Assert.AreEqual(2f, norm.RunningVar![0]);
        Assert.AreEqual(2f, norm.RunningMean![0]);
        Assert.AreEqual(-1f, y[0, 0]);
        Assert.AreEqual(1f, y[1, 0]);
    }

    [TestMethod]
    public void MomentumZero_CountsAndLeavesTheBuffersAsTheyAre()
    {
        BatchNorm<float> norm = Layers.Varied(Shape, momentum: 0);
        float[] mean = Tensors.Flat(norm.RunningMean!), variance = Tensors.Flat(norm.RunningVar!);
        norm.Forward(Tensors.Random(1, Shape));
        Expect.SameBits(mean, Tensors.Flat(norm.RunningMean!), "running mean");
        Expect.SameBits(variance, Tensors.Flat(norm.RunningVar!), "running var");
        Assert.AreEqual(1, norm.NumBatchesTracked);
    }

    /// <summary>The average of all batches goes on after an evaluation and starts anew after a reset.</summary>
    [TestMethod]
    public void Counter_GrowsInTrainingOnly()
    {
        BatchNorm2d<float> norm = new(3, momentum: null);
        Tensor<float> x = Tensors.Random(1, Shape);
        norm.Forward(x);
        norm.Eval().Forward(x);
        Assert.AreEqual(1, norm.NumBatchesTracked);
        norm.Train().Forward(x);
        Assert.AreEqual(2, norm.NumBatchesTracked);
        norm.ResetRunningStats();
        Assert.AreEqual(0, norm.NumBatchesTracked);
        CollectionAssert.AreEqual(new float[] { 0, 0, 0 }, Tensors.Flat(norm.RunningMean!));
        CollectionAssert.AreEqual(new float[] { 1, 1, 1 }, Tensors.Flat(norm.RunningVar!));
        norm.Forward(x);
        (double mean, double unbiased) = MeanAndUnbiasedVariance(Channel(Tensors.Flat(x), 1));
        Assert.AreEqual(mean, norm.RunningMean![1], 1e-6);
        Assert.AreEqual(unbiased, norm.RunningVar![1], 1e-6);
    }

    [TestMethod]
    public void Evaluation_UsesTheBuffersAndChangesNothing()
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        norm.Eval();
        ModuleState before = new(norm);
        float[] x = Values.Of(1, Tensors.Count(Shape), offset: 3);
        Oracle oracle = new(norm, x, Shape);
        Assert.IsTrue(oracle.UsesRunning);
        Expect.Output(oracle.Y, Tensors.Flat(norm.Forward(Tensors.Make(x, Shape))), "y");
        before.AssertEqual(new ModuleState(norm), "after evaluation");
    }

    /// <summary>What an application does with a trained network: one sample, one position.</summary>
    [TestMethod]
    public void Evaluation_TakesASingleValuePerChannel()
    {
        BatchNorm1d<float> norm = new(2);
        norm.RunningMean![1] = 3;
        norm.RunningVar![1] = 4;
        norm.Eval();
        Tensor<float> y = norm.Forward(Tensor.Create<float>([1, 5], [1, 2]));
        Assert.AreEqual(1 / Math.Sqrt(1 + 1e-5), y[0, 0], 1e-6);
        Assert.AreEqual(2 / Math.Sqrt(4 + 1e-5), y[0, 1], 1e-6);
    }

    /// <summary>Without buffers evaluation has only the batch: the same bits as training, and no counter in either.</summary>
    [TestMethod]
    public void TrackingOff_EvaluatesWithTheBatch()
    {
        BatchNorm<float> norm = Layers.Varied(Shape, trackRunningStats: false);
        Assert.IsNull(norm.RunningMean);
        Assert.IsNull(norm.RunningVar);
        Tensor<float> x = Tensors.Random(1, Shape), dy = Tensors.Random(2, Shape);
        float[] trained = Tensors.Flat(norm.Forward(x)), trainedGradient = Tensors.Flat(norm.Backward(dy));
        Assert.AreEqual(0, norm.NumBatchesTracked);
        norm.Eval();
        Expect.SameBits(trained, Tensors.Flat(norm.Forward(x)), "y");
        Expect.SameBits(trainedGradient, Tensors.Flat(norm.Backward(dy)), "dx");
        Assert.AreEqual(0, norm.NumBatchesTracked);
        norm.ResetRunningStats();
    }

    [TestMethod]
    public void AffineOff_HasNoParametersAndNormalizesAlone()
    {
        BatchNorm<float> norm = Layers.Varied(Shape, affine: false);
        Assert.IsNull(norm.Weight);
        Assert.IsNull(norm.Bias);
        float[] x = Values.Of(1, Tensors.Count(Shape)), dy = Values.Of(2, Tensors.Count(Shape));
        Oracle oracle = new(norm, x, Shape);
        Expect.Output(oracle.Y, Tensors.Flat(norm.Forward(Tensors.Make(x, Shape))), "y");
        Expect.Gradient(oracle.Backward(dy).Dx, Tensors.Flat(norm.Backward(Tensors.Make(dy, Shape))), "dx");
        norm.ZeroGradients();
        norm.ResetParameters();
    }

    [TestMethod]
    [DataRow("BatchNorm1d")]
    [DataRow("BatchNorm2d")]
    [DataRow("BatchNorm3d")]
    public void NewLayer_HasPyTorchsDefaults(string layer)
    {
        BatchNorm<float> norm = Layers.Make(layer, 2);
        Assert.IsTrue(norm.IsTraining);
        Assert.AreEqual(2, norm.NumFeatures);
        Assert.AreEqual(1e-5, norm.Eps);
        Assert.AreEqual(0.1, norm.Momentum);
        Assert.AreEqual(0, norm.NumBatchesTracked);
        Assert.AreEqual(0, norm.MaxThreads);
        foreach ((Tensor<float>? tensor, float value) in new[]
        {
            (norm.Weight?.Value, 1f), (norm.Bias?.Value, 0f), (norm.Weight?.Gradient, 0f), (norm.Bias?.Gradient, 0f),
            (norm.RunningMean, 0f), (norm.RunningVar, 1f),
        })
        {
            CollectionAssert.AreEqual(new[] { value, value }, Tensors.Flat(tensor!));
        }

        Assert.AreEqual($"{layer}(2, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)", norm.ToString());
        Assert.AreEqual(
            $"{layer}(3, eps=0.001, momentum=None, affine=False, track_running_stats=False)",
            Layers.Make(layer, 3, 1e-3, null, false, false).ToString());
    }

    [TestMethod]
    public void ResetParameters_RestoresEverything()
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        Tensor<float> x = Tensors.Random(1, Shape);
        norm.Backward(norm.Forward(x));
        norm.ResetParameters();
        new ModuleState(Layers.Make("BatchNorm2d", 3)).AssertEqual(new ModuleState(norm), "after the reset");
    }

    [TestMethod]
    public void TrainAndEval_ReturnTheModule()
    {
        BatchNorm2d<float> norm = new(3);
        Assert.AreSame(norm, norm.Eval());
        Assert.IsFalse(norm.IsTraining);
        Assert.AreSame(norm, norm.Train());
        Assert.IsTrue(norm.IsTraining);
        Assert.AreSame(norm, norm.Train(false));
        Assert.IsFalse(norm.IsTraining);
    }

    // Row-major (N, C, H, W) of the shape above.
    private static double[] Channel(float[] x, int c)
    {
        int plane = Shape[2] * Shape[3];
        return [.. x.Where((_, i) => i / plane % Shape[1] == c).Select(value => (double)value)];
    }

    private static (double Mean, double Variance) MeanAndUnbiasedVariance(double[] values)
    {
        double mean = values.Average();
        return (mean, values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
