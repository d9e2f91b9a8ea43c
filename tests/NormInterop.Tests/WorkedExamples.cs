using System.Numerics.Tensors;

namespace NormInterop.Tests;

/// <summary>Small inputs whose results can be checked by hand, as printed (1e-4) and against double arithmetic (1e-6).</summary>
[TestClass]
public sealed class WorkedExamples
{
    [TestMethod]
    public void BatchNorm1dOnVectors()
    {
        BatchNorm1d<float> norm = new(2);
        Tensor<float> x = Tensor.Create<float>([-1, 8, 0, 0, 1, -8], [3, 2]);
        Tensor<float> y = norm.Forward(x);
        float[] printed = [-1.2247f, 1.2247f, 0, 0, 1.2247f, -1.2247f];
        double[] variances = [2.0 / 3, 128.0 / 3];
        double[] exact = [.. new double[] { -1, 8, 0, 0, 1, -8 }.Select((v, i) => v / Math.Sqrt(variances[i % 2] + 1e-5))];
        AssertClose(printed, exact, y);
    }

    [TestMethod]
    public void BatchNorm1dOnSequences()
    {
        BatchNorm1d<float> norm = new(4);
        float[] input = [1, 2, 3, -2, -1, -2, -3, 2, -1, -2, -3, 2, 1, 2, 3, -2];
        Tensor<float> y = norm.Forward(Tensor.Create(input, [2, 4, 2]));
        float[] half = [0.6325f, 1.2649f, 1.1767f, -0.7845f, -0.6325f, -1.2649f, -1.1767f, 0.7845f];
        // Every channel has mean 0; channels 0 and 2 hold 1 and 2 with both signs, channels 1 and 3 hold 3 and 2.
        double[] exact = [.. input.Select((v, i) => v / Math.Sqrt((i / 2 % 2 == 0 ? 2.5 : 6.5) + 1e-5))];
        AssertClose([.. half, .. half.Select(v => -v)], exact, y);
    }

    [TestMethod]
    public void BatchNorm2dWithoutEpsAndMomentum()
    {
        BatchNorm2d<float> norm = new(2, eps: 0, momentum: 0);
        Tensor<float> x = Tensor.CreateFromShape<float>([2, 2, 3, 4]);
        x.Fill(1);
        x[0, 0, 0, 0] = 25;
        Tensor<float> y = norm.Forward(x);

        // Channel 0 has 24 values: 25 once, 1 otherwise. mean = 2, var = (23^2 + 23) / 24 = 23.
        Assert.AreEqual(23 / Math.Sqrt(23), y[0, 0, 0, 0], 1e-6);
        Assert.AreEqual(-1 / Math.Sqrt(23), y[1, 0, 2, 3], 1e-6);
        for (int n = 0; n < 2; n++)
        {
            for (int i = 0; i < 12; i++)
                Assert.AreEqual(0f, y[n, 1, i / 4, i % 4], "a constant channel without eps is 0, not NaN");
        }

        Assert.AreEqual(0f, norm.RunningMean![0]);
        Assert.AreEqual(1f, norm.RunningVar![0]);
        Assert.AreEqual(1L, norm.NumBatchesTracked);
    }

    private static void AssertClose(float[] printed, double[] exact, Tensor<float> actual)
    {
        float[] values = new float[actual.FlattenedLength];
        actual.FlattenTo(values);
        for (int i = 0; i < values.Length; i++)
        {
            Assert.AreEqual(printed[i], values[i], 1e-4f, $"element {i} as printed");
            Assert.AreEqual(exact[i], values[i], 1e-6, $"element {i} against double");
        }
    }
}
