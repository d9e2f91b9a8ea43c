using NormInterop.Tests.Support;

namespace NormInterop.Tests.Accuracy;

/// <summary>
/// Every layer in double against exact statistics. The reference computes in double as well and cannot judge; but the inputs are
/// multiples of 2^-16, whose sums and sums of squares are integers.
/// </summary>
[TestClass]
public sealed class DoubleAccuracyTests
{
    private const double Unit = 65536;
    private const double Eps = 1e-5;

    private static readonly (string Layer, ModuleSettings Settings, int[] Shape)[] Layers =
    [
        ("LayerNorm", new ModuleSettings { Shape = [1024] }, [64, 1024]),
        ("RMSNorm", new ModuleSettings { Shape = [1024] }, [64, 1024]),
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
    public void OffsetsCostLittleAccuracy(string layer, Form form, double offset)
    {
        (_, ModuleSettings settings, int[] shape) = Layers.Single(c => c.Layer == layer);
        double[] x = [.. Values.Of(12, Tensors.Count(shape)).Select(value => value + offset)];
        double[] expected = Exact(x, i => Set(layer, shape, i), centered: layer is not "RMSNorm");
        NormModule<double> module = ModuleTypes.Make<double>(layer, settings);
        double error = Close.LargestError(expected, Data.Flat(module.Forward(Data.Make<double>(x, shape, form))));
        TestContext.WriteLine($"double {layer} {form} offset {offset:G}: largest error of y {error:E1}");

        // Channels last sums in double, and at 1e4 the next double is 2e-12 away. Contiguous data lose nothing.
        double lost = form is Form.ChannelsLast ? 1e-15 * Math.Abs(offset) : 0;
        Assert.IsLessThanOrEqualTo(2e-15 + lost, error, "largest error of y");
    }

    // GroupNorm has two channels in a group.
    private static int Set(string layer, int[] shape, int i)
    {
        int plane = Tensors.Count(shape[2..]);
        return layer switch
        {
            "LayerNorm" or "RMSNorm" => i / shape[1],
            "GroupNorm" => i / plane / 2,
            "InstanceNorm2d" => i / plane,
            _ => i / plane % shape[1],
        };
    }

    // With k = 2^16 x: mean = sum(k) / n and var = (n * sum(k^2) - sum(k)^2) / n^2, in units of 2^-16, and nothing is rounded before the
    // divisions.
    private static double[] Exact(double[] x, Func<int, int> set, bool centered)
    {
        long[] k = Array.ConvertAll(x, value => (long)(value * Unit));
        Dictionary<int, (long Count, long Sum, Int128 Squares)> sums = [];
        for (int i = 0; i < k.Length; i++)
        {
            (long count, long sum, Int128 squares) = sums.GetValueOrDefault(set(i));
            sums[set(i)] = (count + 1, sum + (centered ? k[i] : 0), squares + ((Int128)k[i] * k[i]));
        }

        return [.. k.Select((value, i) =>
        {
            (long n, long sum, Int128 squares) = sums[set(i)];
            double var = (double)((n * squares) - ((Int128)sum * sum)) / ((double)n * n * Unit * Unit);
            return (double)(((Int128)n * value) - sum) / (n * Unit) / Math.Sqrt(var + Eps);
        })];
    }
}
