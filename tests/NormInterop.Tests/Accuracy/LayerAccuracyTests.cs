using System.Numerics;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Accuracy;

/// <summary>
/// Every layer on data far from zero, where a mean kept in one float loses its digits: the table of SEMANTICS.md. OffsetTests has
/// BatchNorm's buffers and gradients as well.
/// </summary>
[TestClass]
public sealed class LayerAccuracyTests
{
    private static readonly (string Layer, ModuleSettings Settings, int[] Shape)[] Layers =
    [
        ("LayerNorm", new ModuleSettings { Shape = [1024] }, [64, 1024]),
        ("RMSNorm", new ModuleSettings { Shape = [1024], Eps = 1e-5 }, [64, 1024]),
        ("GroupNorm", new ModuleSettings { Channels = 16, Groups = 8 }, [8, 16, 32, 32]),
        ("InstanceNorm2d", new ModuleSettings { Channels = 16 }, [8, 16, 32, 32]),
        ("BatchNorm2d", new ModuleSettings { Channels = 16 }, [8, 16, 32, 32]),
        ("CaffeBatchNorm", new ModuleSettings { Channels = 16 }, [8, 16, 32, 32]),
    ];

    public TestContext TestContext { get; set; } = null!;

    public static IEnumerable<object[]> Cases =>
        from c in Layers
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || c.Shape.Length > 2
        from offset in new[] { 0.0, 1e2, 1e3, 1e4, -1e4 }
        select new object[] { c.Layer, form, offset };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void OffsetsCostNoAccuracy(string layer, Form form, double offset)
    {
        (_, ModuleSettings settings, int[] shape) = Layers.Single(c => c.Layer == layer);
        double[] x = [.. StandardNormal(Tensors.Count(shape)).Select(value => (double)(float)(value + offset))];
        double[] expected = OnFloats(layer, settings).Forward(shape, x, training: true);
        NormModule<float> module = ModuleTypes.Make<float>(layer, settings);
        double error = Close.LargestError(expected, Data.Flat(module.Forward(Data.Make<float>(x, shape, form))));
        TestContext.WriteLine($"float {layer} {form} offset {offset:G}: largest error of y {error:E1}");
        Assert.IsLessThanOrEqualTo(2e-6, error, "largest error of y");
    }

    /// <summary>
    /// Evaluation with the statistics that three steps at this offset have left behind. Momentum is 1, because running buffers on their
    /// way from 0 to the offset would leave outputs as large as it.
    /// </summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void OffsetsCostNoAccuracyInEvaluation(string layer, Form form, double offset)
    {
        (_, ModuleSettings settings, int[] shape) = Layers.Single(c => c.Layer == layer);
        settings = settings with { Momentum = 1 };
        double[] x = [.. StandardNormal(Tensors.Count(shape)).Select(value => (double)(float)(value + offset))];
        NormModule<float> module = ModuleTypes.Make<float>(layer, settings);
        for (ulong seed = 0; seed < 3; seed++)
            module.Forward(Data.Make<float>(Data.Doubles(Values.Of(seed, x.Length, (float)offset)), shape, form));
        double[] expected = ModuleTypes.Oracle(layer, settings, module).Forward(shape, x, training: false);
        double error = Close.LargestError(expected, Data.Flat(module.Eval().Forward(Data.Make<float>(x, shape, form))));
        TestContext.WriteLine($"float {layer} {form} offset {offset:G} evaluated: largest error of y {error:E1}");
        Assert.IsLessThanOrEqualTo(2e-6, error, "largest error of y");
    }

    public static IEnumerable<object[]> ConstantCases =>
        from c in Layers
        where c.Layer is not "RMSNorm"
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || c.Shape.Length > 2
        from alone in new[] { false, true }
        from type in Data.Types
        select new object[] { c.Layer, form, alone, type };

    /// <summary>Constant rows, groups and channels come out as exactly beta, whatever the constant; also in a batch of one.</summary>
    [TestMethod]
    [DynamicData(nameof(ConstantCases))]
    public void ConstantData_GivesExactlyBeta(string layer, Form form, bool alone, string type)
    {
        switch (type)
        {
            case "float":
                Constant<float, float>(layer, form, alone);
                break;
            case "double":
                Constant<double, double>(layer, form, alone);
                break;
            case "Half":
                Constant<Half, float>(layer, form, alone);
                break;
            default:
                Constant<BFloat16, float>(layer, form, alone);
                break;
        }
    }

    private static void Constant<TData, T>(string layer, Form form, bool alone)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (_, ModuleSettings settings, int[] shape) = Layers.Single(c => c.Layer == layer);
        shape = alone ? [1, .. shape[1..]] : shape;
        NormModule<T> module = ModuleTypes.Make<T>(layer, settings);
        ModuleTypes.Vary(module);
        int plane = Tensors.Count(shape[2..]), row = shape[1] * plane;
        foreach (double constant in new[] { 0, 1, -0.1, 1234.567, 3e4 })
        {
            // Every set another constant: those of BatchNorm are channels, those of GroupNorm pairs of them, those of LayerNorm rows.
            double Value(int i) => layer switch
            {
                "LayerNorm" => constant + (i / row),
                "GroupNorm" => constant + (i / plane / 2),
                "InstanceNorm2d" => constant + (i / plane),
                _ => constant + (i / plane % shape[1]),
            };
            double[] x = [.. Enumerable.Range(0, Tensors.Count(shape)).Select(i => Rounded<TData>(Value(i)))];
            double[] beta = module.Bias is null ? new double[row] : Data.Flat(module.Bias.Value);
            int Parameter(int i) => layer is "LayerNorm" ? i % row : i / plane % shape[1];
            double[] expected = [.. x.Select((_, i) => Rounded<TData>(beta[Parameter(i)]))];
            double[] y = Data.Flat(module.Forward(Data.Make<TData>(x, shape, form)));
            Close.Within(0, expected, y, $"y of {constant}");
        }
    }

    private static double Rounded<TData>(double value)
        where TData : unmanaged, INumberBase<TData> => double.CreateTruncating(TData.CreateTruncating(value));

    private static LayerOracle OnFloats(string layer, ModuleSettings settings) => new(layer, settings, [], [], Math.Pow(2, -23));

    private static double[] StandardNormal(int count)
    {
        System.Random random = new(11);

        // Box and Muller; 1 - u because the logarithm of 0 is none.
        return [.. Enumerable.Range(0, count).Select(_ =>
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];
    }
}
