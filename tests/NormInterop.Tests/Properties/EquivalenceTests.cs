using NormInterop.Tests.Support;

namespace NormInterop.Tests.Properties;

/// <summary>Layers that are one another's special cases: their kernels are not the same, their numbers must be.</summary>
[TestClass]
public sealed class EquivalenceTests
{
    private const double Tolerance = 1e-11;

    [TestMethod]
    public void GroupNormOfAllChannels_IsInstanceNorm() =>
        LayerCall.Check(["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"], c =>
        {
            NormModule<double> instance = c.Make<double>();
            GroupNorm<double> group = new(c.Shape[1], c.Shape[1], affine: c.Affine);
            Copy(instance.Weight, group.Weight);
            Copy(instance.Bias, group.Bias);
            AssertSame(c, instance, group);
        });

    /// <summary>LayerNorm over (C, ...) has a weight per element: here all of a channel are equal, and their gradients add up.</summary>
    [TestMethod]
    public void GroupNormOfOneGroup_IsLayerNorm() => LayerCall.Check(["LayerNorm"], c =>
    {
        GroupNorm<double> group = new(1, c.Shape[1], affine: c.Affine);
        ModuleTypes.Vary(group);
        LayerNorm<double> layer = new(c.Shape.AsSpan(1), elementwiseAffine: c.Affine);
        Spread(c, group.Weight, layer.Weight);
        Spread(c, group.Bias, layer.Bias);
        AssertSame(c, group, layer, SumOfChannels);
    });

    /// <summary>y = a * x + b with a = weight / sqrt(running_var + eps) and b = bias - running_mean * a, and dx = a * dy.</summary>
    [TestMethod]
    public void BatchNormInEvaluation_IsAnAffineMap() => LayerCall.Check(["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"], c =>
    {
        BatchNorm<double> norm = (BatchNorm<double>)c.Make<double>(tracking: true).Eval();
        double[] mean = Data.Flat(norm.RunningMean!), var = Data.Flat(norm.RunningVar!), x = c.Numbers(0), dy = c.Numbers(1);
        double[] a = [.. var.Select((value, k) => (norm.Weight?.Value[k] ?? 1) / Math.Sqrt(value + 1e-5))];
        double[] b = [.. mean.Select((value, k) => (norm.Bias?.Value[k] ?? 0) - (value * a[k]))];
        int[] channel = c.Sets();

        double[] y = Data.Flat(norm.Forward(Data.Make<double>(x, c.Shape, c.Form)));
        double[] dx = Data.Flat(norm.Backward(Data.Make<double>(dy, c.Shape, c.Form)));

        Close.Relative(1e-14, [.. x.Select((value, i) => (a[channel[i]] * value) + b[channel[i]])], y, "y", scale: 10);
        Close.Relative(1e-14, [.. dy.Select((value, i) => a[channel[i]] * value)], dx, "dx");
    });

    /// <summary>Caffe's pair in training is BatchNorm in training: its sums matter in evaluation alone.</summary>
    [TestMethod]
    public void CaffePair_IsBatchNorm() => LayerCall.Check(["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"], c =>
    {
        NormModule<double> norm = c.Make<double>(tracking: true);
        CaffeBatchNorm<double> caffe = new(c.Shape[1]);
        CaffeScale<double> scale = new([c.Shape[1]], biasTerm: true);
        Copy(norm.Weight, c.Affine ? scale.Weight : null);
        Copy(norm.Bias, c.Affine ? scale.Bias : null);
        double[] x = c.Numbers(0), dy = c.Numbers(1);

        double[] y = Data.Flat(norm.Forward(Data.Make<double>(x, c.Shape, c.Form)));
        double[] pair = Data.Flat(scale.Forward(caffe.Forward(Data.Make<double>(x, c.Shape, c.Form))));
        Close.Relative(Tolerance, y, pair, "y", scale: 1);
        double[] dx = Data.Flat(norm.Backward(Data.Make<double>(dy, c.Shape, c.Form)));
        double[] pairDx = Data.Flat(caffe.Backward(scale.Backward(Data.Make<double>(dy, c.Shape, c.Form))));
        Close.Relative(1e-9, dx, pairDx, "dx", scale: 1);

        // After one step the sums are the batch itself, where running buffers still hold nine parts of their beginning.
        Assert.AreEqual(1.0, caffe.Factor[0]);
    });

    /// <summary>LayerNorm takes the mean away and is RMSNorm from there on.</summary>
    [TestMethod]
    public void LayerNormOfCenteredRows_IsRmsNorm() => LayerCall.Check(["LayerNorm"], c =>
    {
        double[] x = c.Numbers(0);
        int[] row = c.Sets();
        ILookup<int, double> rows = x.Zip(row).ToLookup(pair => pair.Second, pair => pair.First);
        LayerNorm<double> layer = new(c.Settings().Shape, elementwiseAffine: c.Affine, bias: false);
        RMSNorm<double> rms = new(c.Settings().Shape, eps: 1e-5, elementwiseAffine: c.Affine);
        ModuleTypes.Vary(layer);
        Copy(layer.Weight, rms.Weight);
        double[] y = Data.Flat(layer.Forward(Data.Make<double>(x, c.Shape, c.Form)));
        double[] centered = [.. x.Select((value, i) => value - rows[row[i]].Average())];
        Close.Relative(Tolerance, y, Data.Flat(rms.Forward(Data.Make<double>(centered, c.Shape, c.Form))), "y", scale: 1);
    });

    private static void AssertSame(
        LayerCall c, NormModule<double> one, NormModule<double> other, Func<LayerCall, double[], double[]>? reduceOther = null)
    {
        double[] x = c.Numbers(0), dy = c.Numbers(1);
        double[] y = Data.Flat(one.Forward(Data.Make<double>(x, c.Shape, c.Form)));
        Close.Relative(Tolerance, y, Data.Flat(other.Forward(Data.Make<double>(x, c.Shape, c.Form))), "y", scale: 1);

        // Sets of two values that are almost equal have a dx of large terms with opposite signs.
        double[] dx = Data.Flat(one.Backward(Data.Make<double>(dy, c.Shape, c.Form)));
        Close.Relative(1e-9, dx, Data.Flat(other.Backward(Data.Make<double>(dy, c.Shape, c.Form))), "dx", scale: 1);
        foreach ((string name, Parameter<double>? left, Parameter<double>? right) in new[]
        {
            ("weight gradient", one.Weight, other.Weight),
            ("bias gradient", one.Bias, other.Bias),
        })
        {
            Assert.AreEqual(left is null, right is null, $"presence of {name}");
            if (left is null)
                continue;
            double[] gradient = Data.Flat(right!.Gradient);
            Close.Relative(1e-10, Data.Flat(left.Gradient), reduceOther?.Invoke(c, gradient) ?? gradient, name, scale: 1);
        }
    }

    private static double[] SumOfChannels(LayerCall c, double[] elements) =>
        [.. elements.Chunk(Tensors.Count(c.Shape[2..])).Select(plane => plane.Sum())];

    private static void Spread(LayerCall c, Parameter<double>? perChannel, Parameter<double>? perElement)
    {
        if (perChannel is null)
            return;
        int plane = Tensors.Count(c.Shape[2..]);
        double[] values = Data.Flat(perChannel.Value);
        Data.Fill(perElement!.Value, [.. Enumerable.Range(0, values.Length * plane).Select(i => (float)values[i / plane])]);
    }

    private static void Copy(Parameter<double>? from, Parameter<double>? to)
    {
        if (from is not null && to is not null)
            from.Value.CopyTo(to.Value);
    }
}
