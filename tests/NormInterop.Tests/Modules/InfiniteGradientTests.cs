using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Tests.Modules;

/// <summary>An infinite gradient, as the loss scaling of 16-bit training makes them, gives infinities with signs, not NaN.</summary>
[TestClass]
public sealed class InfiniteGradientTests
{
    [TestMethod]
    public void BatchNorm_Float() => BatchNorm<float, float>(float.PositiveInfinity);

    [TestMethod]
    public void BatchNorm_Double() => BatchNorm<double, double>(double.PositiveInfinity);

    [TestMethod]
    public void BatchNorm_Half() => BatchNorm<Half, float>(Half.PositiveInfinity);

    [TestMethod]
    public void BatchNorm_BFloat16() => BatchNorm<BFloat16, float>(BFloat16.PositiveInfinity);

    // The normalized x of the infinite element decides the sign of the weight's gradient.
    private static void BatchNorm<TData, T>(TData infinity)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] values = [-2, 1, 0.5, 0.25, 3, 1, 0.125, -0.5];
        Tensor<TData> x = Tensor.Create(Array.ConvertAll(values, TData.CreateTruncating), [4, 2]);
        Tensor<TData> dy = Tensor.Create(Array.ConvertAll(values, v => TData.CreateTruncating(v / 8)), [4, 2]);
        dy[0, 0] = infinity;
        dy[0, 1] = infinity;
        BatchNorm1d<T> norm = new(2);
        norm.Forward(x);
        norm.Backward(dy);
        Assert.AreEqual(T.PositiveInfinity, norm.Bias!.Gradient[0], "bias gradient");
        Assert.AreEqual(T.NegativeInfinity, norm.Weight!.Gradient[0], "weight gradient where x is below the mean");
        Assert.AreEqual(T.PositiveInfinity, norm.Weight!.Gradient[1], "weight gradient where x is above the mean");
    }
}
