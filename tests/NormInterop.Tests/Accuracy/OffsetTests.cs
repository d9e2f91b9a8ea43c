using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Accuracy;

/// <summary>Data far from zero, where y = a * x + b and a mean kept in one float lose their digits.</summary>
[TestClass]
public sealed class OffsetTests
{
    private static readonly int[] Shape = [8, 16, 32, 32];

    public static IEnumerable<object[]> Cases =>
        from offset in new[] { 0.0, 1e2, 1e3, 1e4, -1e4 }
        from form in new[] { Form.Contiguous, Form.ChannelsLast, Form.Sliced }
        select new object[] { offset, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void OffsetsCostNoAccuracy(double offset, Form form)
    {
        float[] x = StandardNormal(Tensors.Count(Shape), offset), dy = Values.Of(3, Tensors.Count(Shape));
        BatchNorm2d<float> norm = new(16);
        Oracle oracle = new(norm, x, Shape);
        (double[] dx, double[] dweight, double[] dbias) = oracle.Backward(dy);
        float[] y = Tensors.Flat(norm.Forward(Tensors.Make(x, Shape, form)));
        Assert.IsLessThanOrEqualTo(2e-6, y.Select((value, i) => Math.Abs(value - oracle.Y[i])).Max(), "largest error of y");

        // From the data, because the oracle's buffers are floats. Relative to the largest mean: one that happens to be near 0 is the
        // difference of numbers near 1.
        (double Mean, double Unbiased)[] statistics = [.. Enumerable.Range(0, 16).Select(c => Statistics(x, c))];
        double largest = statistics.Max(channel => Math.Abs(channel.Mean));
        for (int c = 0; c < 16; c++)
        {
            Assert.AreEqual(0.1 * statistics[c].Mean, norm.RunningMean![c], 1e-7 * largest, $"running mean of channel {c}");
            Assert.AreEqual(0.9 + (0.1 * statistics[c].Unbiased), norm.RunningVar![c], 1e-6, $"running var of channel {c}");
        }

        Expect.Gradient(dx, Tensors.Flat(norm.Backward(Tensors.Make(dy, Shape, form))), "dx");
        Expect.Gradient(dweight, Tensors.Flat(norm.Weight!.Gradient), "weight gradient");
        Expect.Gradient(dbias, Tensors.Flat(norm.Bias!.Gradient), "bias gradient");
    }

    private static float[] StandardNormal(int count, double offset)
    {
        System.Random random = new(11);

        // Box and Muller; 1 - u because the logarithm of 0 is none.
        return [.. Enumerable.Range(0, count).Select(_ => (float)(offset
            + (Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))))];
    }

    private static (double Mean, double Unbiased) Statistics(float[] x, int c)
    {
        double[] own = [.. x.Where((_, i) => i / 1024 % 16 == c).Select(value => (double)value)];
        double mean = own.Average();
        return (mean, own.Sum(value => (value - mean) * (value - mean)) / (own.Length - 1));
    }
}
