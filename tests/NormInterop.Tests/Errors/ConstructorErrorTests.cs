using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Settings that no layer can have.</summary>
[TestClass]
public sealed class ConstructorErrorTests
{
    public static IEnumerable<string> LayersWithEps => ModuleTypes.ByName.Keys.Where(layer => layer != "CaffeScale");

    public static IEnumerable<string> LayersWithFeatures =>
        LayersWithEps.Where(layer => layer is not ("GroupNorm" or "LayerNorm" or "RMSNorm"));

    [TestMethod]
    [DynamicData(nameof(LayersWithEps))]
    public void Eps_IsANumberFromZeroOn(string layer)
    {
        ModuleSettings settings = ModuleCase.All.First(c => c.Layer == layer).Settings;
        foreach (double eps in new[] { -1e-5, double.NaN, double.NegativeInfinity, -double.Epsilon })
        {
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ModuleTypes.Make<float>(layer, settings with { Eps = eps }));
            Assert.AreEqual("eps", e.ParamName);
            Assert.AreEqual(eps, e.ActualValue);
            Assert.Contains("eps must be a number that is at least 0", e.Message);
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ModuleTypes.Make<double>(layer, settings with { Eps = eps }));
        }

        foreach (double eps in new[] { 0.0, -0.0, 1e300, double.Epsilon })
            Assert.Contains("eps=", $"{ModuleTypes.Make<float>(layer, settings with { Eps = eps })}");
    }

    [TestMethod]
    [DynamicData(nameof(LayersWithFeatures))]
    public void NumFeatures_IsPositive(string layer)
    {
        foreach (int features in new[] { 0, -1, int.MinValue })
        {
            ModuleSettings settings = new() { Channels = features };
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ModuleTypes.Make<float>(layer, settings));
            Assert.AreEqual("numFeatures", e.ParamName);
            Assert.AreEqual(features, e.ActualValue);
            Assert.Contains("greater than 0", e.Message);
        }
    }

    [TestMethod]
    [DataRow("numGroups", 0, 6)]
    [DataRow("numGroups", -2, 6)]
    [DataRow("numGroups", int.MinValue, int.MinValue)]
    [DataRow("numChannels", 2, 0)]
    [DataRow("numChannels", 2, -6)]
    public void GroupNorm_HasGroupsAndChannels(string name, int groups, int channels)
    {
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new GroupNorm<float>(groups, channels));
        Assert.AreEqual(name, e.ParamName);
        Assert.AreEqual(name is "numGroups" ? groups : channels, e.ActualValue);
        Assert.Contains("greater than 0", e.Message);
    }

    [TestMethod]
    [DataRow(4, 6)]
    [DataRow(7, 6)]
    [DataRow(int.MaxValue, 6)]
    public void GroupNorm_DividesItsChannels(int groups, int channels)
    {
        var e = Assert.ThrowsExactly<ArgumentException>(() => new GroupNorm<float>(groups, channels));
        Assert.AreEqual("numChannels", e.ParamName);
        Assert.Contains($"numChannels must be divisible by numGroups, got numChannels={channels} and numGroups={groups}", e.Message);
    }

    /// <summary>At least one dimension, each at least 1, and not more elements than an array can have.</summary>
    [TestMethod]
    [DataRow("LayerNorm")]
    [DataRow("RMSNorm")]
    public void NormalizedShape_HasElements(string layer)
    {
        Assert.Contains(
            "Expected normalizedShape to have at least 1 dimension, got normalizedShape=[]", Refuses(layer, "normalizedShape", []).Message);
        foreach (int[] shape in new int[][] { [0], [3, 0], [-1], [2, -3, 4], [0, 1 << 20, 1 << 20] })
        {
            Assert.Contains(
                $"Expected every dimension of normalizedShape to be at least 1, got normalizedShape=[{string.Join(", ", shape)}]",
                Refuses(layer, "normalizedShape", shape).Message);
        }

        foreach (int[] shape in new int[][] { [65536, 32768], [int.MaxValue], [1 << 16, 1 << 16, 1 << 16, 1 << 16] })
        {
            Assert.Contains(
                $"Expected normalizedShape to have at most {Array.MaxLength} elements, got normalizedShape=[{string.Join(", ", shape)}]",
                Refuses(layer, "normalizedShape", shape).Message);
        }
    }

    [TestMethod]
    public void CaffeScale_HasAShapeThatItsAxisCanHold()
    {
        const string least = "Expected every dimension of shape to be at least 1, got shape=";
        Assert.Contains(least + "[3, 0]", Refuses("CaffeScale", "shape", [3, 0]).Message);
        Assert.Contains(least + "[-3]", Refuses("CaffeScale", "shape", [-3]).Message);
        Assert.Contains("Expected shape to have at most", Refuses("CaffeScale", "shape", [65536, 65536]).Message);
        foreach ((int axis, int[] shape) in new (int, int[])[] { (-1, [3, 2]), (-2, [4, 3, 2]) })
        {
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new CaffeScale<float>(shape, axis));
            Assert.AreEqual("axis", e.ParamName);
            Assert.AreEqual(axis, e.ActualValue);
            Assert.Contains($"Expected an axis with {shape.Length} dimensions from there on", e.Message);
        }

        Assert.AreEqual(-2, new CaffeScale<float>([3, 2], -2).Axis);
    }

    /// <summary>Momentum, and Caffe's fraction, may be any number: PyTorch and Caffe do not look at them.</summary>
    [TestMethod]
    [DataRow(-3.0)]
    [DataRow(0.0)]
    [DataRow(7.5)]
    public void Momentum_IsNotLookedAt(double momentum)
    {
        Assert.AreEqual(momentum, new BatchNorm2d<double>(2, momentum: momentum).Momentum);
        Assert.AreEqual(momentum, new InstanceNorm2d<double>(2, momentum: momentum).Momentum);
        Assert.AreEqual(momentum, new CaffeBatchNorm<double>(2, movingAverageFraction: momentum).MovingAverageFraction);
    }

    private static ArgumentException Refuses(string layer, string name, int[] shape)
    {
        var e = Assert.ThrowsExactly<ArgumentException>(() => ModuleTypes.Make<float>(layer, new ModuleSettings { Shape = shape }));
        Assert.AreEqual(name, e.ParamName);
        return e;
    }
}
