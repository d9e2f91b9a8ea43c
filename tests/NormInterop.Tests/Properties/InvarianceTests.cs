using NormInterop.Tests.Support;

namespace NormInterop.Tests.Properties;

/// <summary>
/// Normalized values do not know the scale and the offset of what they were made of. Without eps this is exact, and the property is about
/// the whole computation: statistics that miss an element, or that take one of a neighbour, break it.
/// </summary>
[TestClass]
public sealed class InvarianceTests
{
    // Two values of a set may be as close as 2^-16 and then be moved by 8, which costs their difference 20 of 53 bits.
    private const double Tolerance = 1e-8;

    [TestMethod]
    public void ScaleAndOffsetOfEverySet_ChangeNothing() => LayerCall.Check(LayerCall.Normalizing, c =>
    {
        int[] sets = c.Sets();
        Values values = new((ulong)c.Seed + 99);
        double[] scale = [.. Enumerable.Range(0, sets.Max() + 1).Select(_ => Math.Pow(2, 2 * Math.Tanh(values.Next())))];

        // RMSNorm takes no mean away, and so an offset changes its output.
        double[] offset = [.. scale.Select(_ => c.Layer is "RMSNorm" ? 0 : 3.0 * values.Next())];
        double[] x = c.Numbers(0), dy = c.Numbers(1), moved = [.. x.Select((value, i) => (scale[sets[i]] * value) + offset[sets[i]])];

        (double[] y, double[] dx) = Run(c, x, dy);
        (double[] movedY, double[] movedDx) = Run(c, moved, dy);

        double largest = 1 / SmallestDeviation(c, x, sets);
        Close.Relative(Tolerance, y, movedY, "y", scale: 1);
        Close.Relative(Tolerance, dx, [.. movedDx.Select((value, i) => value * scale[sets[i]])], "dx times scale", largest);
    });

    /// <summary>Caffe's Scale is linear in the input, plus its bias.</summary>
    [TestMethod]
    public void ScaleLayer_IsLinear() => LayerCall.Check(["CaffeScale"], c =>
    {
        NormModule<double> module = ModuleTypes.Make<double>(c.Layer, new ModuleSettings { Shape = [c.Shape[1]], Bias = c.Affine });
        ModuleTypes.Vary(module);
        double[] Forward(double[] x) => Data.Flat(module.Forward(Data.Make<double>(x, c.Shape, c.Form)));
        double[] a = c.Numbers(0), b = c.Numbers(1), bias = Forward(new double[c.Count]);
        double[] sum = Forward([.. a.Select((value, i) => (2 * value) - b[i])]);
        double[] expected = [.. Forward(a).Zip(Forward(b), (left, right) => (2 * left) - right)];
        Close.Relative(1e-14, [.. expected.Select((value, i) => value)], sum, "f(2 a - b)", scale: 10);
        for (int i = 0; i < c.Count; i++)
            Assert.AreEqual(c.Affine ? Data.Flat(module.Bias!.Value)[i / Tensors.Count(c.Shape[2..]) % c.Shape[1]] : 0, bias[i]);
    });

    private static (double[] Y, double[] Dx) Run(LayerCall c, double[] x, double[] dy)
    {
        NormModule<double> module = c.Make<double>(eps: 0);
        double[] y = Data.Flat(module.Forward(Data.Make<double>(x, c.Shape, c.Form)));
        return (y, Data.Flat(module.Backward(Data.Make<double>(dy, c.Shape, c.Form))));
    }

    private static double SmallestDeviation(LayerCall c, double[] x, int[] sets) => x.Zip(sets).GroupBy(pair => pair.Second).Min(set =>
    {
        double mean = c.Layer is "RMSNorm" ? 0 : set.Average(pair => pair.First);
        return Math.Sqrt(set.Average(pair => Math.Pow(pair.First - mean, 2)));
    });
}
