using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Runtime;

/// <summary>The span forms of every layer and type allocate nothing once the context has its memory.</summary>
[TestClass]
public sealed class LayerAllocationTests
{
    public static IEnumerable<object[]> Cases =>
        from c in LayerShapes.Medium
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || c.Shape.Length > 2
        select new object[] { c.Layer, c.Name, type, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Spans_AllocateNothing(string layer, string name, string type, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        long Least(bool training) => type switch
        {
            "float" => LeastOfSome<float, float>(c, form, training),
            "double" => LeastOfSome<double, double>(c, form, training),
            "Half" => LeastOfSome<Half, float>(c, form, training),
            _ => LeastOfSome<BFloat16, float>(c, form, training),
        };
        foreach (bool training in new[] { true, false })
            Assert.AreEqual(0, Least(training), $"bytes allocated in some forwards and backwards, training {training}");
    }

    /// <summary>That a context grows is seen, and that it does not grow again.</summary>
    [TestMethod]
    public void Contexts_AllocateWhenTheyGrow()
    {
        LayerNorm<float> norm = new([4]);
        NormContext<float> context = new();
        long Forward(int rows)
        {
            Tensor<float> x = Tensors.Random(1, [rows, 4]), y = Tensors.Poisoned([rows, 4]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Forward(1);
        Assert.IsGreaterThanOrEqualTo(2 * 1000 * sizeof(double), Forward(1000), "mean and invstd of 1000 rows");
        Assert.AreEqual(0, Enumerable.Range(0, 3).Min(_ => Forward(999)));
    }

    // The runtime itself may allocate a few bytes on this thread, once, when it replaces code by a better compiled version, and the pool
    // that Caffe's averages come from has its first arrays to make. An allocation of ours would be in every run.
    private static long LeastOfSome<TData, T>(ModuleCase c, Form form, bool training)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] numbers = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape)));
        bool rows = c.Layer is "LayerNorm" or "RMSNorm" || (c.Layer is "CaffeScale" && c.Settings.Shape.Length > 1);
        Form own = rows ? Form.Contiguous : form;
        Tensor<TData> x = Data.Make<TData>(numbers, c.Shape, own), dy = Data.Make<TData>(numbers, c.Shape, own);
        Tensor<TData> y = Data.Poisoned<TData>(c.Shape, own), dx = Data.Poisoned<TData>(c.Shape, own);
        NormModule<T> norm = ModuleTypes.Make<T>(c.Layer, c.Settings);
        norm.Train(training);
        NormContext<T> context = new();
        long Run(int calls)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < calls; i++)
            {
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                norm.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan());
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return Enumerable.Range(0, 6).Min(_ => Run(20));
    }
}
