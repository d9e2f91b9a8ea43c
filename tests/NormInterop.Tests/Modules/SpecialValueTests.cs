using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Constants, no eps, numbers at the ends of float's range, NaN and infinity.</summary>
[TestClass]
public sealed class SpecialValueTests
{
    /// <summary>Shapes of one block and of many, and both formats; a matrix is its own path.</summary>
    public static IEnumerable<object[]> Layouts =>
        from shape in new[] { "3x5x7x9", "2x3x70x90", "1x2x129x65", "500x19", "3x70x5" }
        from form in new[] { Form.Contiguous, Form.ChannelsLast, Form.Sliced }
        where form is not Form.ChannelsLast || shape != "500x19"
        select new object[] { shape, form };

    /// <summary>A mean of equal numbers that is off by rounding would show here, multiplied by 1 / sqrt(eps) = 316.</summary>
    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void ConstantChannels_ComeOutAsExactlyBeta(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        foreach (float constant in new[] { 0f, 0.1f, -1234.567f, 16777215f, 1e-38f, 1e-45f, 3e38f, -float.MaxValue })
        {
            BatchNorm<float> norm = Layers.Make(Layers.OfRank(shape.Length), shape[1], momentum: 1);
            for (int c = 0; c < shape[1]; c++)
                norm.Bias!.Value[c] = (c * 0.7f) - 1;
            float[] x = new float[Tensors.Count(shape)];
            x.AsSpan().Fill(constant);
            Expect.SameBits(BetaEverywhere(norm, shape), Tensors.Flat(norm.Forward(Tensors.Make(x, shape, form))), $"y of {constant}");
            Assert.IsTrue(Tensors.Flat(norm.RunningMean!).All(mean => mean == constant), $"running mean of {constant}");
            Assert.IsTrue(Tensors.Flat(norm.RunningVar!).All(variance => variance == 0), $"running var of {constant}");
        }
    }

    /// <summary>Where var + eps is 0, invstd is 0: y is beta, x^ is 0, and no gradient is NaN.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void NoVarianceAndNoEps_GiveBetaAndFiniteGradients(bool training)
    {
        int[] shape = [4, 3, 5];
        BatchNorm<float> norm = Layers.Make("BatchNorm1d", 3, eps: 0);
        norm.Bias!.Value.Fill(0.25f);
        norm.RunningVar!.Clear();
        float[] x = new float[60], dy = Values.Of(1, 60);
        x.AsSpan().Fill(7);
        norm.Train(training);
        Expect.SameBits(BetaEverywhere(norm, shape), Tensors.Flat(norm.Forward(Tensors.Make(x, shape))), "y");
        Assert.IsTrue(Tensors.Flat(norm.Backward(Tensors.Make(dy, shape))).All(value => value == 0), "dx");
        Assert.IsTrue(Tensors.Flat(norm.Weight!.Gradient).All(value => value == 0), "weight gradient");
        double[] sums = [.. Enumerable.Range(0, 3).Select(c => dy.Where((_, i) => i / 5 % 3 == c).Sum(value => (double)value))];
        Expect.Gradient(sums, Tensors.Flat(norm.Bias.Gradient), "bias gradient");
    }

    /// <summary>From far below eps to where squares leave float's range, with the variance still inside double's.</summary>
    [TestMethod]
    [DataRow(1e-18f)]
    [DataRow(1e-10f)]
    [DataRow(1e10f)]
    [DataRow(1e18f)]
    public void OtherMagnitudes_AreAsAccurate(float scale)
    {
        foreach (Form form in new[] { Form.Contiguous, Form.ChannelsLast })
        {
            int[] shape = [4, 3, 5, 30];
            BatchNorm<float> norm = Layers.Make("BatchNorm2d", 3, eps: 0);
            float[] x = Array.ConvertAll(Values.Of(1, 1800), value => value * scale), dy = Values.Of(2, 1800);
            Oracle oracle = new(norm, x, shape);
            (double[] dx, double[] dweight, _) = oracle.Backward(dy);
            Expect.Output(oracle.Y, Tensors.Flat(norm.Forward(Tensors.Make(x, shape, form))), $"y, {form}");
            Expect.Gradient(dx, Tensors.Flat(norm.Backward(Tensors.Make(dy, shape, form))), $"dx, {form}");
            Expect.Gradient(dweight, Tensors.Flat(norm.Weight!.Gradient), $"weight gradient, {form}");
        }
    }

    /// <summary>Sums and squares of these numbers overflow in float; y is as harmless as ever.</summary>
    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void HugeNumbers_DoNotOverflowTheForward(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        BatchNorm<float> norm = Layers.Varied(shape);
        float[] x = Array.ConvertAll(Values.Of(1, Tensors.Count(shape)), value => value * 8e37f);
        Oracle oracle = new(norm, x, shape);
        Expect.Output(oracle.Y, Tensors.Flat(norm.Forward(Tensors.Make(x, shape, form))), "y");
    }

    /// <summary>One value that is no number takes its channel with it, in training, and leaves no trace in any other.</summary>
    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void NotANumber_StaysInItsChannel_InTraining(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        float[] clean = Values.Of(1, Tensors.Count(shape)), dy = Values.Of(2, Tensors.Count(shape));
        BatchNorm<float> healthy = Layers.Varied(shape);
        float[] y = Tensors.Flat(healthy.Forward(Tensors.Make(clean, shape, form)));
        float[] dx = Tensors.Flat(healthy.Backward(Tensors.Make(dy, shape, form)));
        foreach ((float bad, double place) in new[] { (float.NaN, 0), (float.PositiveInfinity, 0.5), (float.NegativeInfinity, 1) })
        {
            int at = (int)((clean.Length - 1) * place), sick = ChannelOf(at, shape);
            float[] x = [.. clean];
            x[at] = bad;
            BatchNorm<float> norm = Layers.Varied(shape);
            bool Sick(int i) => ChannelOf(i, shape) == sick;
            AssertOnlyOneSick(y, Tensors.Flat(norm.Forward(Tensors.Make(x, shape, form))), Sick, $"y with {bad}");
            AssertOnlyOneSick(dx, Tensors.Flat(norm.Backward(Tensors.Make(dy, shape, form))), Sick, $"dx with {bad}");
            AssertOnlyOneSick(Tensors.Flat(healthy.RunningVar!), Tensors.Flat(norm.RunningVar!), c => c == sick, $"running var with {bad}");
            AssertOnlyOneSick(
                Tensors.Flat(healthy.Weight!.Gradient), Tensors.Flat(norm.Weight!.Gradient), c => c == sick, $"weight gradient with {bad}");
            Expect.SameBits(Tensors.Flat(healthy.Bias!.Gradient), Tensors.Flat(norm.Bias!.Gradient), $"bias gradient with {bad}");
        }
    }

    /// <summary>The mean of a channel with one infinity is that infinity, as in PyTorch, wherever in the channel it lies.</summary>
    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void Infinity_GoesIntoTheRunningMean(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        float[] clean = Values.Of(1, Tensors.Count(shape));
        foreach (double place in new[] { 0, 0.4, 1 })
        {
            foreach (float infinity in new[] { float.PositiveInfinity, float.NegativeInfinity })
            {
                int at = (int)((clean.Length - 1) * place);
                float[] x = [.. clean];
                x[at] = infinity;
                BatchNorm<float> norm = Layers.Varied(shape);
                norm.Forward(Tensors.Make(x, shape, form));
                Assert.AreEqual(infinity, norm.RunningMean![ChannelOf(at, shape)], $"with the infinity at element {at}");
            }
        }
    }

    /// <summary>In evaluation elements have nothing to do with each other.</summary>
    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void NotANumber_StaysAlone_InEvaluation(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        float[] clean = Values.Of(1, Tensors.Count(shape));
        BatchNorm<float> norm = Layers.Varied(shape);
        norm.Eval();
        float[] y = Tensors.Flat(norm.Forward(Tensors.Make(clean, shape, form)));
        foreach (int at in new[] { 0, clean.Length / 2, clean.Length - 1 })
        {
            float[] x = [.. clean];
            x[at] = float.NaN;
            AssertOnlyOneSick(y, Tensors.Flat(norm.Forward(Tensors.Make(x, shape, form))), i => i == at, "y with NaN");
            x[at] = float.PositiveInfinity;
            float expected = x[at] * norm.Weight!.Value[ChannelOf(at, shape)];
            Assert.AreEqual(expected, Tensors.Flat(norm.Forward(Tensors.Make(x, shape, form)))[at], "y of infinity");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Layouts))]
    public void NotANumber_InTheGradient_StaysInItsChannel(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        float[] x = Values.Of(1, Tensors.Count(shape)), clean = Values.Of(2, Tensors.Count(shape));
        foreach (bool training in new[] { true, false })
        {
            BatchNorm<float> healthy = Layers.Varied(shape), norm = Layers.Varied(shape);
            healthy.Train(training).Forward(Tensors.Make(x, shape, form));
            norm.Train(training).Forward(Tensors.Make(x, shape, form));
            float[] dx = Tensors.Flat(healthy.Backward(Tensors.Make(clean, shape, form)));
            int at = clean.Length / 2, sick = ChannelOf(at, shape);
            float[] dy = [.. clean];
            dy[at] = float.NaN;
            float[] actual = Tensors.Flat(norm.Backward(Tensors.Make(dy, shape, form)));
            AssertOnlyOneSick(dx, actual, i => training ? ChannelOf(i, shape) == sick : i == at, "dx");
            AssertOnlyOneSick(
                Tensors.Flat(healthy.Weight!.Gradient), Tensors.Flat(norm.Weight!.Gradient), c => c == sick, "weight gradient");
            AssertOnlyOneSick(Tensors.Flat(healthy.Bias!.Gradient), Tensors.Flat(norm.Bias!.Gradient), c => c == sick, "bias gradient");
        }
    }

    private static int ChannelOf(int element, int[] shape) => element / shape.Skip(2).Aggregate(1, (a, b) => a * b) % shape[1];

    private static float[] BetaEverywhere(BatchNorm<float> norm, int[] shape) =>
        [.. Enumerable.Range(0, Tensors.Count(shape)).Select(i => norm.Bias!.Value[ChannelOf(i, shape)])];

    // What is sick is NaN; all else has the bits that it has without the sick value.
    private static void AssertOnlyOneSick(float[] healthy, float[] actual, Func<int, bool> sick, string name)
    {
        for (int i = 0; i < actual.Length; i++)
        {
            if (sick(i))
                Assert.IsTrue(float.IsNaN(actual[i]), $"{name}: element {i} is {actual[i]}, expected NaN");
            else if (BitConverter.SingleToUInt32Bits(healthy[i]) != BitConverter.SingleToUInt32Bits(actual[i]))
                Assert.Fail($"{name}: element {i} is {actual[i]:R}, expected {healthy[i]:R} as without it");
        }
    }
}
