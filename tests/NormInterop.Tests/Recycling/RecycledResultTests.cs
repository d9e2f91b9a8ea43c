using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using NormInterop.Recycling;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Recycling;

/// <summary>Results in memory that has been used before are the results, to the bit, in every layer, type and format.</summary>
[TestClass]
public sealed class RecycledResultTests
{
    public static IEnumerable<object[]> Cases =>
        from c in Layers
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast, Form.Sliced }
        where form is not Form.ChannelsLast || c.Shape.Length > 2
        select new object[] { c.Layer, type, form };

    // Outputs of 90,000 elements and more: large enough in every type, with ends that no vector fits.
    private static ModuleCase[] Layers { get; } =
    [
        Channels("BatchNorm1d", "701x131"), Channels("BatchNorm2d", "3x19x41x43"), Channels("InstanceNorm2d", "3x19x41x43"),
        Channels("CaffeBatchNorm", "3x19x41x43"),
        new("GroupNorm", "", new ModuleSettings { Channels = 18, Groups = 3 }, [3, 18, 41, 43]),
        new("LayerNorm", "", new ModuleSettings { Shape = [131] }, [701, 131]),
        new("RMSNorm", "", new ModuleSettings { Shape = [41, 43], Eps = null }, [3, 19, 41, 43]),
        new("CaffeScale", "", new ModuleSettings { Shape = [19], NumAxes = 1 }, [3, 19, 41, 43]),
    ];

    [TestCleanup]
    public void Restore() => NormRuntime.ReleaseRecycled();

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Results_AreTheSameBits(string layer, string type, Form form)
    {
        ModuleCase c = Layers.Single(one => one.Layer == layer);
        switch (type)
        {
            case "float":
                Check<float, float>(c, form);
                break;
            case "double":
                Check<double, double>(c, form);
                break;
            case "Half":
                Check<Half, float>(c, form);
                break;
            default:
                Check<BFloat16, float>(c, form);
                break;
        }
    }

    private static void Check<TData, T>(ModuleCase c, Form form)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = Tensors.Count(c.Shape);
        Tensor<TData> x = Data.Make<TData>(Data.SixteenBit(1, count), c.Shape, form);
        Tensor<TData> dy = Data.Make<TData>(Data.SixteenBit(2, count), c.Shape, form);
        (double[] Y, double[] Dx) fresh = WithoutRecycling(() => Results<TData, T>(c, x, dy));

        Collector.Settle();
        Poison(x);
        Collector.Run();
        long size = (long)ArrayRecycler.Capacity(count) * Unsafe.SizeOf<TData>();
        Assert.AreEqual(2 * size, NormRuntime.RecycledBytes, "two poisoned outputs wait");
        (double[] Y, double[] Dx) recycled = Results<TData, T>(c, x, dy, expectedLeft: 0);
        Expect.SameBits(fresh.Y, recycled.Y, "y");
        Expect.SameBits(fresh.Dx, recycled.Dx, "dx");
    }

    private static (double[] Y, double[] Dx) Results<TData, T>(
        ModuleCase c, Tensor<TData> x, Tensor<TData> dy, long? expectedLeft = null)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NormModule<T> norm = ModuleTypes.Make<T>(c.Layer, c.Settings);
        ModuleTypes.Vary(norm);
        Tensor<TData> y = norm.Forward(x), dx = norm.Backward(dy);
        if (expectedLeft is not null)
            Assert.AreEqual(expectedLeft.Value, NormRuntime.RecycledBytes, "the poisoned outputs have been taken");
        return (Data.Flat(y), Data.Flat(dx));
    }

    /// <summary>Two outputs of the input's lengths, full of NaN, for nobody.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Poison<TData>(Tensor<TData> x)
        where TData : unmanaged, INumberBase<TData>
    {
        TData nan = TData.CreateTruncating(double.NaN);
        Tensor<TData>[] outputs = [Outputs.Like(x), Outputs.Like(x)];
        Array.ForEach(outputs, output => output.Fill(nan));
    }

    private static TResult WithoutRecycling<TResult>(Func<TResult> results)
    {
        long limit = NormRuntime.RecyclingLimit;
        NormRuntime.RecyclingLimit = 0;
        try
        {
            return results();
        }
        finally
        {
            NormRuntime.RecyclingLimit = limit;
        }
    }

    private static ModuleCase Channels(string layer, string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        return new ModuleCase(layer, lengths, new ModuleSettings { Channels = shape[1] }, shape);
    }
}
