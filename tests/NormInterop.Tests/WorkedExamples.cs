using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests;

/// <summary>
/// Small inputs whose results can be checked by hand: as printed (1e-4), and against double arithmetic (1e-6 in float, 1e-14 in double).
/// </summary>
[TestClass]
public sealed class WorkedExamples
{
    private const string Float = "float", Double = "double";

    [TestMethod]
    [DataRow(Float)]
    [DataRow(Double)]
    public void BatchNorm1dOnVectors(string type)
    {
        if (type is Float)
            Run<float>();
        else
            Run<double>();

        static void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            double[] input = [-1, 8, 0, 0, 1, -8], variances = [2.0 / 3, 128.0 / 3];
            double[] y = Forward(new BatchNorm1d<T>(2), input, [3, 2]);
            double[] printed = [-1.2247, 1.2247, 0, 0, 1.2247, -1.2247];
            double[] exact = [.. input.Select((v, i) => v / Math.Sqrt(variances[i % 2] + 1e-5))];
            AssertClose<T>(printed, exact, y);
        }
    }

    [TestMethod]
    [DataRow(Float)]
    [DataRow(Double)]
    public void BatchNorm1dOnSequences(string type)
    {
        if (type is Float)
            Run<float>();
        else
            Run<double>();

        static void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            double[] input = [1, 2, 3, -2, -1, -2, -3, 2, -1, -2, -3, 2, 1, 2, 3, -2];
            double[] y = Forward(new BatchNorm1d<T>(4), input, [2, 4, 2]);
            double[] half = [0.6325, 1.2649, 1.1767, -0.7845, -0.6325, -1.2649, -1.1767, 0.7845];

            // Every channel has mean 0; channels 0 and 2 hold 1 and 2 with both signs, channels 1 and 3 hold 3 and 2.
            double[] exact = [.. input.Select((v, i) => v / Math.Sqrt((i / 2 % 2 == 0 ? 2.5 : 6.5) + 1e-5))];
            AssertClose<T>([.. half, .. half.Select(v => -v)], exact, y);
        }
    }

    [TestMethod]
    [DataRow(Float)]
    [DataRow(Double)]
    public void BatchNorm2dWithoutEpsAndMomentum(string type)
    {
        if (type is Float)
            Run<float>();
        else
            Run<double>();

        static void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            BatchNorm2d<T> norm = new(2, eps: 0, momentum: 0);
            double[] input = Enumerable.Repeat(1.0, 2 * 2 * 12).ToArray();
            input[0] = 25;
            double[] y = Forward(norm, input, [2, 2, 3, 4]);

            // Channel 0 has 24 values: 25 once, 1 otherwise. mean = 2, var = (23^2 + 23) / 24 = 23.
            double[] exact = [.. input.Select((v, i) => i / 12 % 2 == 0 ? (v - 2) / Math.Sqrt(23) : 0)];
            AssertClose<T>(exact, exact, y);
            for (int i = 0; i < y.Length; i++)
                Assert.IsTrue(i / 12 % 2 == 0 || y[i] == 0, "a constant channel without eps is exactly 0, not NaN");

            Assert.AreEqual(T.Zero, norm.RunningMean![0]);
            Assert.AreEqual(T.One, norm.RunningVar![0]);
            Assert.AreEqual(1L, norm.NumBatchesTracked);
        }
    }

    [TestMethod]
    [DataRow(Float)]
    [DataRow(Double)]
    public void LayerNormOnPlanes(string type)
    {
        if (type is Float)
            Run<float>();
        else
            Run<double>();

        static void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            double[] y = Forward(new LayerNorm<T>([3, 2, 2]), Planes(3), [1, 3, 2, 2]);
            double[] exact = [.. Planes(3).Select(v => (v - 2) / Math.Sqrt((2.0 / 3) + 1e-5))];
            AssertClose<T>([.. Planes(3).Select(v => (v - 2) * 1.2247)], exact, y);
        }
    }

    [TestMethod]
    [DataRow(Float)]
    [DataRow(Double)]
    public void InstanceNormOnConstantPlanes(string type)
    {
        if (type is Float)
            Run<float>();
        else
            Run<double>();

        static void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            // A constant has no deviation from its mean: the zeros are exact.
            double[] y = Forward(new InstanceNorm2d<T>(3, momentum: 0.3), Planes(3), [1, 3, 2, 2]);
            Assert.IsTrue(y.All(v => v == 0), string.Join(", ", y));
        }
    }

    [TestMethod]
    [DataRow(Float)]
    [DataRow(Double)]
    public void GroupNormOnPairsOfPlanes(string type)
    {
        if (type is Float)
            Run<float>();
        else
            Run<double>();

        static void Run<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            // Planes 1 and 2 are one group, 3 and 4 the other: half of the values lie 1/2 below the mean, half of them above.
            double[] y = Forward(new GroupNorm<T>(2, 4), Planes(4), [1, 4, 2, 2]);
            double[] signs = [.. Planes(4).Select(v => v % 2 == 0 ? 1.0 : -1)];
            AssertClose<T>(signs, [.. signs.Select(v => v * 0.5 / Math.Sqrt(0.25 + 1e-5))], y);
        }
    }

    // Planes of four 1s, four 2s, and so on.
    private static double[] Planes(int count) => [.. Enumerable.Range(0, 4 * count).Select(i => 1.0 + (i / 4))];

    private static double[] Forward<T>(NormModule<T> norm, double[] input, int[] shape)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> y = norm.Forward(Data.Make<T>(input, shape));
        Assert.AreEqual(string.Join(", ", shape), string.Join(", ", y.Lengths.ToArray()));
        return Data.Flat(y);
    }

    private static void AssertClose<T>(double[] printed, double[] exact, double[] actual)
    {
        Close.Within(1e-4, printed, actual, "as printed");
        Close.Within(typeof(T) == typeof(float) ? 1e-6 : 1e-14, exact, actual, "against double");
    }
}
