using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>The running buffers of InstanceNorm, and inputs without the dimension of the samples.</summary>
[TestClass]
public sealed class InstanceRunningTests
{
    private static readonly int[] Shape = [4, 3, 5, 2];

    public static IEnumerable<object[]> Momenta =>
        from momentum in new[] { 0.1, 0, 1, -0.5, 1.5 }
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        select new object[] { momentum, type, form };

    /// <summary>The average over the samples of their means and unbiased variances; nothing is counted.</summary>
    [TestMethod]
    [DynamicData(nameof(Momenta))]
    public void Buffers_FollowTheFormula(double momentum, string type, Form form)
    {
        AnyLayer module = AnyLayer.Make(type, "InstanceNorm2d", new ModuleSettings { Channels = 3, Momentum = momentum });
        double[] mean = module.State["running mean"], variance = module.State["running var"];
        for (int step = 1; step <= 3; step++)
        {
            double[] x = module.Rounded(Data.SixteenBit((ulong)step, Tensors.Count(Shape), offset: step));
            module.Forward(x, Shape, form);
            for (int c = 0; c < 3; c++)
            {
                (double Mean, double Unbiased)[] samples = [.. Enumerable.Range(0, 4).Select(n => Moments(x[((n * 3 + c) * 10)..][..10]))];
                mean[c] = ((1 - momentum) * mean[c]) + (momentum * samples.Average(s => s.Mean));
                variance[c] = ((1 - momentum) * variance[c]) + (momentum * samples.Average(s => s.Unbiased));
            }

            double tolerance = type is "double" ? 1e-14 : 1e-6;
            Close.Relative(tolerance, mean, module.State["running mean"], $"running mean after step {step}", scale: 0.1);
            Close.Relative(tolerance, variance, module.State["running var"], $"running var after step {step}");
            Assert.AreEqual(0, module.Batches, "InstanceNorm counts nothing");
        }
    }

    public static IEnumerable<object[]> Ranks =>
        from shape in new[] { "4x3x5", "4x3x5x2", "2x3x2x3x4", "1x3x6", "5x3x1" }
        from affine in new[] { true, false }
        from type in Data.Types
        select new object[] { shape, affine, type };

    /// <summary>Evaluation with buffers is BatchNorm's, gradients included, to the bit.</summary>
    [TestMethod]
    [DynamicData(nameof(Ranks))]
    public void EvaluationWithBuffers_IsThatOfBatchNorm(string lengths, bool affine, string type)
    {
        int[] shape = Tensors.Shape(lengths);
        ModuleSettings settings = new() { Channels = 3, Affine = affine };
        AnyLayer instance = AnyLayer.Make(type, $"InstanceNorm{shape.Length - 2}d", settings).Train(false);
        AnyLayer batch = AnyLayer.Make(type, $"BatchNorm{shape.Length - 2}d", settings).Train(false);
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(shape))), dy = Data.Doubles(Values.Of(2, x.Length));
        Expect.SameBits(batch.Forward(x, shape), instance.Forward(x, shape), "y");
        Expect.SameBits(batch.Backward(dy, shape), instance.Backward(dy, shape), "dx");
        batch.State.AssertEqual(instance.State, "afterwards");
    }

    /// <summary>Without the first dimension an input is a single sample.</summary>
    [TestMethod]
    [DynamicData(nameof(Ranks))]
    public void UnbatchedInput_IsASingleSample(string lengths, bool affine, string type)
    {
        int[] unbatched = Tensors.Shape(lengths)[1..], shape = [1, .. unbatched];
        foreach (bool tracking in new[] { true, false })
        {
            foreach (bool training in new[] { true, false })
            {
                if (lengths is "5x3x1" && (training || !tracking))
                    continue;
                ModuleSettings settings = new() { Channels = 3, Affine = affine, Tracking = tracking };
                string layer = $"InstanceNorm{unbatched.Length - 1}d";
                AnyLayer one = AnyLayer.Make(type, layer, settings).Train(training);
                AnyLayer none = AnyLayer.Make(type, layer, settings).Train(training);
                double[] x = Data.Doubles(Values.Of(1, Tensors.Count(shape))), dy = Data.Doubles(Values.Of(2, x.Length));
                Expect.SameBits(one.Forward(x, shape), none.Forward(x, unbatched), "y");
                Expect.SameBits(one.Backward(dy, shape), none.Backward(dy, unbatched), "dx");
                one.State.AssertEqual(none.State, "afterwards");
            }
        }
    }

    /// <summary>PyTorch warns; here there is nothing that the number of channels would have to fit.</summary>
    [TestMethod]
    [DataRow("2x5x4")]
    [DataRow("5x4")]
    [DataRow("2x1x4")]
    public void OtherChannelCounts_AreTakenWithoutParametersAndBuffers(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        int channels = shape[^2];
        ModuleSettings settings = new() { Channels = 3, Affine = false, Tracking = false };
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(shape)));
        foreach (bool training in new[] { true, false })
        {
            AnyLayer other = AnyLayer.Make("float", "InstanceNorm1d", settings).Train(training);
            AnyLayer fitting = AnyLayer.Make("float", "InstanceNorm1d", settings with { Channels = channels }).Train(training);
            Expect.SameBits(fitting.Forward(x, shape), other.Forward(x, shape), "y");
            Expect.SameBits(fitting.Backward(x, shape), other.Backward(x, shape), "dx");
        }
    }

    private static (double Mean, double Unbiased) Moments(double[] values)
    {
        double mean = values.Average();
        return (mean, values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
