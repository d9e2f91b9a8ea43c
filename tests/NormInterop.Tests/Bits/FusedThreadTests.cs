using System.Numerics.Tensors;
using NormInterop.Tests.Fused;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Bits;

/// <summary>
/// The number of threads changes no bit of what follows a normalization either, also where two threads share a byte of a mask.
/// </summary>
[TestClass]
public sealed class FusedThreadTests
{
    public static IEnumerable<object[]> Cases =>
        from c in FusedPair.Of(LayerShapes.Large)
        where Tensors.Count(c.Shape) < 400_000
        from step in FusedSteps.Names
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || c.Shape.Length > 2
        select new object[] { c.Layer, c.Name, step, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void AnyNumberOfThreads_GivesTheSameBits(string layer, string name, string step, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        foreach (bool training in new[] { true, false })
        {
            float[][] one = Run(c, step, form, training, threads: 1);
            foreach (int threads in new[] { 2, 3 })
            {
                float[][] others = Run(c, step, form, training, threads);
                for (int i = 0; i < one.Length; i++)
                    Expect.SameBits(one[i], others[i], $"result {i}, {threads} threads, training {training}");
            }
        }
    }

    private static float[][] Run(ModuleCase c, string step, Form form, bool training, int threads)
    {
        var norm = (FusedNorm<float>)ModuleTypes.Make<float>(c.Layer, c.Settings with { Activation = FusedSteps.Activation(step) });
        ModuleTypes.Vary(norm);
        norm.MaxThreads = threads;
        norm.Train(training);
        Tensor<float> x = Tensors.Random(1, c.Shape, form), r = Tensors.Random(2, c.Shape, form), dy = Tensors.Random(3, c.Shape, form);
        Tensor<float> y, dx, dr = dy;
        if (step is FusedSteps.Residual)
        {
            y = norm.Forward(x, r);
            dx = norm.Backward(dy, out dr);
        }
        else
        {
            y = norm.Forward(x);
            dx = norm.Backward(dy);
        }

        return [.. new[] { y, dx, dr, norm.Weight!.Gradient, norm.Bias!.Gradient }.Select(Tensors.Flat)];
    }
}
