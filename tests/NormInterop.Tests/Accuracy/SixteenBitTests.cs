using System.Numerics;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Accuracy;

/// <summary>
/// Half and BFloat16 data with float parameters: every output and every input gradient is the correctly rounded result, or its neighbour.
/// </summary>
[TestClass]
public sealed class SixteenBitTests
{
    // Sets from a few values to thousands, and a tail behind every vector width.
    private static readonly (string Layer, ModuleSettings Settings, string Shape)[] Layers =
    [
        ("BatchNorm1d", new ModuleSettings { Channels = 67 }, "33x67"),
        ("BatchNorm2d", new ModuleSettings { Channels = 19 }, "4x19x9x11"),
        ("BatchNorm3d", new ModuleSettings { Channels = 5, Tracking = false }, "2x5x3x7x11"),
        ("InstanceNorm1d", new ModuleSettings { Channels = 7 }, "3x7x101"),
        ("InstanceNorm2d", new ModuleSettings { Channels = 19, Tracking = false }, "3x19x9x11"),
        ("InstanceNorm3d", new ModuleSettings { Channels = 5 }, "2x5x3x7x11"),
        ("GroupNorm", new ModuleSettings { Channels = 18, Groups = 3 }, "3x18x9x11"),
        ("LayerNorm", new ModuleSettings { Shape = [1027] }, "7x1027"),
        ("LayerNorm", new ModuleSettings { Shape = [3, 5, 7] }, "6x3x5x7"),
        ("RMSNorm", new ModuleSettings { Shape = [1027], Eps = null }, "7x1027"),
        ("RMSNorm", new ModuleSettings { Shape = [3, 5, 7], Eps = null }, "6x3x5x7"),
        ("CaffeBatchNorm", new ModuleSettings { Channels = 19 }, "4x19x9x11"),
        ("CaffeScale", new ModuleSettings { Shape = [19] }, "4x19x9x11"),
    ];

    public static IEnumerable<object[]> Cases =>
        from c in Layers
        from type in new[] { "Half", "BFloat16" }
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || Tensors.Shape(c.Shape).Length > 2
        from training in new[] { true, false }
        from offset in new[] { 0.0, 10, 100 }
        select new object[] { c.Layer, c.Shape, type, form, training, offset };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ForwardAndBackward_AreRounded(string layer, string shape, string type, Form form, bool training, double offset)
    {
        ModuleSettings settings = Layers.Single(c => c.Layer == layer && c.Shape == shape).Settings;
        if (type is "Half")
            Run<Half>(layer, settings, Tensors.Shape(shape), form, training, offset);
        else
            Run<BFloat16>(layer, settings, Tensors.Shape(shape), form, training, offset);
    }

    private static void Run<TData>(string layer, ModuleSettings settings, int[] shape, Form form, bool training, double offset)
        where TData : unmanaged, INumberBase<TData>
    {
        SixteenBitFormat format = SixteenBitFormat.Of<TData>();
        int count = Tensors.Count(shape);
        double[] x = Array.ConvertAll(Values.Of(5, count), value => format.Round(value + offset));
        double[] dy = Array.ConvertAll(Values.Of(6, count), value => format.Round(value));
        NormModule<float> module = ModuleTypes.Make<float>(layer, settings);
        ModuleTypes.Vary(module);
        module.Train(training);
        LayerOracle oracle = ModuleTypes.Oracle(layer, settings, module);
        double[] y = oracle.Forward(shape, x, training);
        (double[] dx, double[] dweight, double[] dbias) = oracle.Backward(dy);

        format.AssertRounded(y, Data.Flat(module.Forward(Data.Make<TData>(x, shape, form))), "y");
        format.AssertRounded(dx, Data.Flat(module.Backward(Data.Make<TData>(dy, shape, form))), "dx");

        // Sums of terms of this size; parameters and their gradients are floats.
        double scale = 1 + (oracle.LargestScale * x.Max(Math.Abs));
        if (module.Weight is not null)
            Close.Relative(1e-6, dweight, Data.Flat(module.Weight.Gradient), "weight gradient", scale);
        if (module.Bias is not null)
            Close.Relative(1e-6, dbias, Data.Flat(module.Bias.Gradient), "bias gradient", scale);
    }
}
