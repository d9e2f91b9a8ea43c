using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Caffe's sums, its three ways to choose the statistics, and its edge cases.</summary>
[TestClass]
public sealed class CaffeBatchNormTests
{
    private static readonly int[] Shape = [4, 3, 5];

    public static IEnumerable<object[]> Fractions =>
        from fraction in new[] { 0.999, 0.5, 0, 1, -0.25, 1.5 }
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        select new object[] { fraction, type, form };

    [TestMethod]
    [DynamicData(nameof(Fractions))]
    public void Sums_FollowTheFormula(double fraction, string type, Form form)
    {
        AnyLayer module = AnyLayer.Make(type, "CaffeBatchNorm", new ModuleSettings { Channels = 3, Fraction = fraction });
        module.ClearBuffers();
        double[] mean = new double[3], variance = new double[3];
        double factor = 0;
        for (int step = 1; step <= 3; step++)
        {
            double[] x = module.Rounded(Data.SixteenBit((ulong)step, 60, offset: step));
            module.Forward(x, Shape, form);
            factor = (fraction * factor) + 1;
            for (int c = 0; c < 3; c++)
            {
                double[] channel = [.. x.Where((_, i) => i / 5 % 3 == c)];
                double batchMean = channel.Average(), sum = channel.Sum(value => (value - batchMean) * (value - batchMean));
                mean[c] = (fraction * mean[c]) + batchMean;
                variance[c] = (fraction * variance[c]) + (sum / 19);
            }

            double tolerance = type is "double" ? 1e-14 : 1e-6;
            Close.Relative(tolerance, mean, module.State["mean sum"], $"mean sum after step {step}", scale: 0.1);
            Close.Relative(tolerance, variance, module.State["variance sum"], $"variance sum after step {step}");
            Close.Relative(tolerance, [factor], module.State["factor"], $"factor after step {step}");
        }
    }

    /// <summary>Two values 1 and 3: mean 2, biased variance 1 for y, unbiased variance 2 for the sum.</summary>
    [TestMethod]
    public void Sum_TakesTheUnbiasedVariance_AndTheOutputTheBiasedOne()
    {
        CaffeBatchNorm<float> norm = new(1, eps: 0);
        Tensor<float> y = norm.Forward(Tensor.Create<float>([1, 3], [2, 1]));
        CollectionAssert.AreEqual(new float[] { -1, 1, 2, 2, 1 },
            (float[])[.. Tensors.Flat(y), norm.MeanSum[0], norm.VarSum[0], norm.Factor[0]]);
    }

    /// <summary>For a single value Caffe leaves Bessel's correction out: the variance is 0, and y is 0.</summary>
    [TestMethod]
    [DataRow("1x3")]
    [DataRow("1x3x1x1")]
    public void OneValuePerChannel_IsLegal(string lengths)
    {
        foreach (string type in Data.Types)
        {
            AnyLayer module = AnyLayer.Make(type, "CaffeBatchNorm", new ModuleSettings { Channels = 3, Fraction = 0.5 });
            ModuleState before = module.State;
            double[] y = module.Forward([4, -5, 6], Tensors.Shape(lengths));
            Close.Within(0, [0, 0, 0], y, "y");
            double[] sums = [.. before["mean sum"].Zip([4, -5, 6.0], (sum, x) => (0.5 * sum) + x)];
            Close.Relative(1e-7, sums, module.State["mean sum"], "mean sum");
            Close.Within(0, [.. before["variance sum"].Select(sum => 0.5 * sum)], module.State["variance sum"], "variance sum");
            Close.Within(0, [(0.5 * before["factor"][0]) + 1], module.State["factor"], "factor");
        }
    }

    /// <summary>Nothing learned yet: mean and variance are both 0, so that y is x / sqrt(eps), and x * 0 where eps is 0.</summary>
    [TestMethod]
    public void FactorZero_MakesMeanAndVarianceZero()
    {
        foreach (string type in Data.Types)
        {
            foreach ((double eps, double scale) in new[] { (0.25, 2.0), (0, 0) })
            {
                AnyLayer module = AnyLayer.Make(type, "CaffeBatchNorm", new ModuleSettings { Channels = 2, Eps = eps }).Train(false);
                module.ClearBuffers();
                ModuleState before = module.State;
                Close.Within(0, [scale, -3 * scale, 0, scale], module.Forward([1, -3, 0, 1], [2, 2]), $"y of {type}, eps {eps}");
                Close.Within(0, [scale, scale, 4 * scale, 0], module.Backward([1, 1, 4, 0], [2, 2]), $"dx of {type}, eps {eps}");
                before.AssertEqual(module.State, "afterwards");
            }
        }

        // Sums that are there do not count either: factor decides.
        CaffeBatchNorm<float> norm = new(1, eps: 0.25, useGlobalStats: true);
        norm.MeanSum[0] = 17;
        norm.VarSum[0] = 5;
        Assert.AreEqual(2f, norm.Forward(Tensor.Create<float>([1], [1, 1]))[0, 0]);
    }

    /// <summary>mean = 6 / 2, variance = 8 / 2, in both directions.</summary>
    [TestMethod]
    public void GlobalStatistics_AreTheSumsDividedByTheFactor()
    {
        CaffeBatchNorm<float> norm = new CaffeBatchNorm<float>(1, eps: 0).Eval();
        (norm.MeanSum[0], norm.VarSum[0], norm.Factor[0]) = (6, 8, 2);
        CollectionAssert.AreEqual(new float[] { -1, 2 }, Tensors.Flat(norm.Forward(Tensor.Create<float>([1, 7], [2, 1]))));
        CollectionAssert.AreEqual(new float[] { 0.5f, 2 }, Tensors.Flat(norm.Backward(Tensor.Create<float>([1, 4], [2, 1]))));
        Assert.IsNull(norm.Weight);
        Assert.IsNull(norm.Bias);
    }

    /// <summary>Null follows the mode; true never looks at the batch; false always does, and moves the sums even in evaluation.</summary>
    [TestMethod]
    [DataRow(null, true, false)]
    [DataRow(null, false, true)]
    [DataRow(true, true, true)]
    [DataRow(true, false, true)]
    [DataRow(false, true, false)]
    [DataRow(false, false, false)]
    public void UseGlobalStats_DecidesOverTheMode(bool? useGlobal, bool training, bool global)
    {
        ModuleSettings settings = new() { Channels = 3, UseGlobalStats = useGlobal };
        double[] x = Data.Doubles(Values.Of(1, 60, offset: 2)), dy = Data.Doubles(Values.Of(2, 60));
        AnyLayer module = AnyLayer.Make("double", "CaffeBatchNorm", settings).Train(training);
        AnyLayer reference = AnyLayer.Make("double", "CaffeBatchNorm", settings with { UseGlobalStats = null }).Train(!global);
        ModuleState before = module.State;
        Expect.SameBits(reference.Forward(x, Shape), module.Forward(x, Shape), "y");
        Expect.SameBits(reference.Backward(dy, Shape), module.Backward(dy, Shape), "dx");
        reference.State.AssertSameNumbers(module.State, "afterwards");
        Assert.AreEqual(global, before["factor"][0] == module.State["factor"][0], "factor unmoved");
    }

    /// <summary>An evaluation that awaits its backward keeps the averages that it has used.</summary>
    [TestMethod]
    public void PendingBackward_KeepsTheSumsItHasUsed()
    {
        double[] x = Data.Doubles(Values.Of(1, 60)), dy = Data.Doubles(Values.Of(2, 60));
        AnyLayer module = AnyLayer.Make("float", "CaffeBatchNorm", new ModuleSettings { Channels = 3 }).Train(false);
        module.Forward(x, Shape);
        double[] expected = module.Backward(dy, Shape);
        module.Forward(x, Shape);
        module.ClearBuffers();
        Expect.SameBits(expected, module.Backward(dy, Shape), "dx");
    }

    [TestMethod]
    public void ResetParameters_ClearsTheSums()
    {
        CaffeBatchNorm<double> norm = new(3);
        Assert.IsTrue(norm.IsTraining);
        norm.Forward(Data.Make<double>(Data.Doubles(Values.Of(1, 60)), Shape));
        Assert.AreEqual(1, norm.Factor[0]);
        norm.ResetParameters();
        double[] sums = [.. Data.Flat(norm.MeanSum), .. Data.Flat(norm.VarSum), .. Data.Flat(norm.Factor)];
        CollectionAssert.AreEqual(new double[7], sums);
        Assert.AreEqual("CaffeBatchNorm(3, eps=1e-05, moving_average_fraction=0.999, use_global_stats=None)", $"{norm}");
        Assert.AreEqual(
            "CaffeBatchNorm(2, eps=0, moving_average_fraction=0.5, use_global_stats=True)",
            $"{new CaffeBatchNorm<float>(2, 0, 0.5, true)}");
    }
}
