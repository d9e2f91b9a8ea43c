using System.Numerics.Tensors;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Random;

/// <summary>The library against the reference on shapes, formats, modes and offsets that nobody has chosen.</summary>
[TestClass]
public sealed class RandomShapeTests
{
    // The same cases in every run. A failure prints its case, made small, and the seed; another seed finds other cases.
    private const ulong Seed = 20240229;
    private const ulong Gamma = 0x9E37_79B9_7F4A_7C15;

    /// <summary>One call and what it is called with. ToString is what a failure prints.</summary>
    public sealed record RandomCall(string Shape, Form Form, bool Training, bool Affine, bool Tracking, float Offset, int Seed);

    [TestMethod]
    public void ForwardAndBackward_AgreeWithTheReference()
    {
        Gen<RandomCall> cases =
            from shape in Shapes()
            from form in Gen.Elements(Enum.GetValues<Form>())
            from training in Gen.Elements(true, true, false)
            from affine in Gen.Elements(true, true, false)
            from tracking in Gen.Elements(true, true, false)
            from offset in Gen.Elements(0f, 0f, -3f, 100f, 1000f)
            from seed in Gen.Choose(0, 1 << 30)
            select new RandomCall(shape, form, training, affine, tracking, offset, seed);
        Config config = Config.QuickThrowOnFailure.WithMaxTest(400).WithReplay(new Replay(new Rnd(Seed, Gamma), FSharpOption<int>.None));
        Check.One(config, Prop.ForAll(Arb.From(cases, Smaller), Agrees));
    }

    private static void Agrees(RandomCall c)
    {
        int[] shape = Tensors.Shape(c.Shape);
        int count = Tensors.Count(shape);
        float[] x = Values.Of((ulong)c.Seed, count, c.Offset), dy = Values.Of((ulong)c.Seed + 1, count);
        BatchNorm<float> norm = Layers.Varied(shape, affine: c.Affine, trackRunningStats: c.Tracking);
        norm.Train(c.Training);
        Oracle oracle = new(norm, x, shape);
        (double[] dx, double[] dweight, double[] dbias) = oracle.Backward(dy);

        Tensor<float> y = norm.Forward(Tensors.Make(x, shape, c.Form));
        Expect.Output(oracle.Y, Tensors.Flat(y), "y", oracle.OutputScale);
        if (c.Tracking)
        {
            Expect.Buffer(Oracle.Doubles(oracle.RunningMean), Tensors.Flat(norm.RunningMean!), "running mean");
            Expect.Buffer(Oracle.Doubles(oracle.RunningVar), Tensors.Flat(norm.RunningVar!), "running var");
        }

        Tensor<float> actual = norm.Backward(Tensors.Make(dy, shape, c.Form));
        Expect.Gradient(dx, Tensors.Flat(actual), "dx", oracle.GradientScale(dy));
        if (c.Affine)
        {
            // Sums of n signed terms; where they happen to cancel, the error is still that of their usual size.
            double scale = Math.Sqrt((double)count / shape[1]) * (1 + (oracle.UsesRunning ? Math.Abs(c.Offset) : 0));
            Expect.Gradient(dweight, Tensors.Flat(norm.Weight!.Gradient), "weight gradient", scale);
            Expect.Gradient(dbias, Tensors.Flat(norm.Bias!.Gradient), "bias gradient", scale);
        }
    }

    /// <summary>Ranks 2 to 5; channels and spatial lengths around the widths of vectors, batches as small as they may be.</summary>
    private static Gen<string> Shapes() =>
        from n in Gen.Choose(1, 6)
        from c in Gen.Choose(1, 70)
        from spatial in Gen.OneOf(
            Gen.Constant(Array.Empty<int>()),
            Gen.Choose(1, 40).ArrayOf(1),
            Gen.Choose(1, 40).ArrayOf(2),
            Gen.Choose(1, 12).ArrayOf(3))
        select Join(n, c, spatial);

    // A single value per channel cannot be normalized.
    private static string Join(int n, int c, int[] spatial) =>
        string.Join('x', (int[])[n == 1 && Tensors.Count(spatial) == 1 ? 2 : n, c, .. spatial]);

    /// <summary>Simpler cases to look at when one has failed: each length halved, then plainer settings.</summary>
    private static IEnumerable<RandomCall> Smaller(RandomCall c)
    {
        int[] shape = Tensors.Shape(c.Shape);
        for (int i = 0; i < shape.Length; i++)
        {
            int[] smaller = [.. shape];
            smaller[i] /= 2;
            if (smaller[i] > 0 && Tensors.Count(smaller) / smaller[1] > 1)
                yield return c with { Shape = string.Join('x', smaller) };
        }

        if (c.Form is not Form.Contiguous)
            yield return c with { Form = Form.Contiguous };
        if (c.Affine)
            yield return c with { Affine = false };
        if (c.Tracking && c.Training)
            yield return c with { Tracking = false };
        if (c.Offset != 0)
            yield return c with { Offset = 0 };
        if (c.Seed != 0)
            yield return c with { Seed = c.Seed / 2 };
    }
}
