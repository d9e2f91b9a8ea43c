using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Fused;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Runtime;

/// <summary>With an activation and a residual, too, the span forms allocate nothing once the context has its memory.</summary>
[TestClass]
public sealed class FusedAllocationTests
{
    public static IEnumerable<object[]> Cases =>
        from c in FusedPair.Of(LayerShapes.Medium)
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || c.Shape.Length > 2
        select new object[] { c.Layer, c.Name, type, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Spans_AllocateNothing(string layer, string name, string type, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        foreach (bool training in new[] { true, false })
        {
            foreach (string step in FusedSteps.Names)
            {
                long least = type switch
                {
                    "float" => LeastOfSome<float, float>(c, step, form, training),
                    "double" => LeastOfSome<double, double>(c, step, form, training),
                    "Half" => LeastOfSome<Half, float>(c, step, form, training),
                    _ => LeastOfSome<BFloat16, float>(c, step, form, training),
                };
                Assert.AreEqual(0, least, $"bytes allocated in some forwards and backwards, {step}, training {training}");
            }
        }
    }

    /// <summary>That a mask grows is seen, and that it does not grow again.</summary>
    [TestMethod]
    public void Masks_AllocateWhenTheyGrow()
    {
        BatchNorm1d<float> norm = new(4) { Activation = Activation.ReLU };
        NormContext<float> context = new();
        long Forward(int rows)
        {
            Tensor<float> x = Tensors.Random(1, [rows, 4]), y = Tensors.Poisoned([rows, 4]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            norm.Forward(x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Forward(2);
        Assert.IsInRange(1000, 2000, Forward(2000));
        Assert.AreEqual(0, Enumerable.Range(0, 3).Min(_ => Forward(1999)));
    }

    private static long LeastOfSome<TData, T>(ModuleCase c, string step, Form form, bool training)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] numbers = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape)));
        Tensor<TData> x = Data.Make<TData>(numbers, c.Shape, form), dy = Data.Make<TData>(numbers, c.Shape, form);
        Tensor<TData> y = Data.Poisoned<TData>(c.Shape, form), dx = Data.Poisoned<TData>(c.Shape, form);
        Tensor<TData> dr = Data.Poisoned<TData>(c.Shape, form);
        var norm = (FusedNorm<T>)ModuleTypes.Make<T>(c.Layer, c.Settings with { Activation = FusedSteps.Activation(step) });
        norm.Train(training);
        NormContext<T> context = new();
        bool adds = step is FusedSteps.Residual;
        long Run(int calls)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < calls; i++)
            {
                if (adds)
                {
                    norm.Forward(x.AsReadOnlyTensorSpan(), dy.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                    norm.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), dr.AsTensorSpan(), context);
                    norm.Forward(x.AsReadOnlyTensorSpan(), dy.AsReadOnlyTensorSpan(), y.AsTensorSpan());
                }

                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                norm.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan());
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return Enumerable.Range(0, 6).Min(_ => Run(10));
    }
}
