using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Norm.BatchNorm and its backward: the same as the modules, with the state in the caller's hands.</summary>
[TestClass]
public sealed class FunctionTests
{
    /// <summary>Any combination of weight and bias, with and without buffers, in both modes.</summary>
    public static IEnumerable<object[]> Combinations =>
        from training in new[] { true, false }
        from buffers in new[] { true, false }
        where training || buffers
        from weight in new[] { true, false }
        from bias in new[] { true, false }
        select new object[] { training, buffers, weight, bias };

    [TestMethod]
    [DynamicData(nameof(Combinations))]
    public void Function_ComputesWhatTheReferenceDoes(bool training, bool buffers, bool weight, bool bias)
    {
        int[] shape = [3, 5, 4, 2];
        BatchNorm<float> state = Layers.Varied(shape, momentum: 0.3, eps: 1e-3, trackRunningStats: buffers);
        if (!weight)
            state.Weight!.Value.Fill(1f);
        if (!bias)
            state.Bias!.Value.Clear();
        state.Train(training);
        float[] x = Values.Of(1, 120, offset: 4), dy = Values.Of(2, 120);
        Oracle oracle = new(state, x, shape);
        (double[] dx, double[] dweight, double[] dbias) = oracle.Backward(dy);

        NormContext<float> context = new();
        Tensor<float> y = Norm.BatchNorm(
            Tensors.Make(x, shape), state.RunningMean, state.RunningVar,
            weight ? state.Weight!.Value : null, bias ? state.Bias!.Value : null, training, 0.3, 1e-3, context);
        Expect.Output(oracle.Y, Tensors.Flat(y), "y");
        if (buffers)
        {
            Expect.Buffer(Oracle.Doubles(oracle.RunningMean), Tensors.Flat(state.RunningMean!), "running mean");
            Expect.Buffer(Oracle.Doubles(oracle.RunningVar), Tensors.Flat(state.RunningVar!), "running var");
        }

        Tensor<float> actual = Norm.BatchNormBackward(
            Tensors.Make(dy, shape), context, weight ? state.Weight!.Value : null, weight ? state.Weight!.Gradient : null,
            bias ? state.Bias!.Gradient : null);
        Expect.Gradient(dx, Tensors.Flat(actual), "dx");
        Expect.Gradient(weight ? dweight : new double[5], Tensors.Flat(state.Weight!.Gradient), "weight gradient");
        Expect.Gradient(bias ? dbias : new double[5], Tensors.Flat(state.Bias!.Gradient), "bias gradient");
    }

    [TestMethod]
    [DataRow("6x3")]
    [DataRow("4x3x5")]
    [DataRow("4x3x5x2")]
    [DataRow("2x3x2x5x2")]
    public void Function_HasTheBitsOfTheModule(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        Tensor<float> x = Tensors.Random(1, shape);
        Tensor<float> dy = Tensors.Random(2, shape);
        BatchNorm<float> norm = Layers.Varied(shape), state = Layers.Varied(shape);
        NormContext<float> context = new();
        float[] expected = Tensors.Flat(norm.Forward(x)), gradient = Tensors.Flat(norm.Backward(dy));
        Tensor<float> y = Norm.BatchNorm(
            x, state.RunningMean, state.RunningVar, state.Weight!.Value, state.Bias!.Value, training: true, context: context);
        Expect.SameBits(expected, Tensors.Flat(y), "y");
        Tensor<float> dx = Norm.BatchNormBackward(dy, context, state.Weight.Value, state.Weight.Gradient, state.Bias.Gradient);
        Expect.SameBits(gradient, Tensors.Flat(dx), "dx");
        new ModuleState(norm).AssertSameNumbers(new ModuleState(state), "afterwards");
    }

    /// <summary>The modules have their ranks; the function takes any from 2 on.</summary>
    [TestMethod]
    public void Function_TakesMoreDimensions()
    {
        float[] x = Values.Of(1, 96);
        Tensor<float> six = Norm.BatchNorm<float, float>(Tensors.Make(x, [2, 3, 2, 2, 2, 2]), null, null, training: true);
        Tensor<float> three = Norm.BatchNorm<float, float>(Tensors.Make(x, [2, 3, 16]), null, null, training: true);
        CollectionAssert.AreEqual(Tensors.Lengths(2, 3, 2, 2, 2, 2), six.Lengths.ToArray());
        Expect.SameBits(Tensors.Flat(three), Tensors.Flat(six), "y");
    }

    /// <summary>Parameters of several layers in one tensor, as an optimizer may keep them.</summary>
    [TestMethod]
    public void Parameters_MayBeSlicesOfALargerTensor()
    {
        Tensor<float> all = Tensors.Make(Values.Of(3, 12), [12]);
        Tensor<float> x = Tensors.Make(Values.Of(1, 24), [8, 3]), dy = Tensors.Make(Values.Of(2, 24), [8, 3]);
        float[] before = Tensors.Flat(all);
        NormContext<float> context = new();
        Tensor<float> y = Norm.BatchNorm(x, null, null, all.Slice(2..5), all.Slice(5..8), training: true, context: context);
        Tensor<float> alone = Norm.BatchNorm(
            x, null, null, Tensor.Create(before[2..5]), Tensor.Create(before[5..8]), training: true);
        Expect.SameBits(Tensors.Flat(alone), Tensors.Flat(y), "y");
        Norm.BatchNormBackward(dy, context, all.Slice(2..5), all.Slice(8..11));
        float[] after = Tensors.Flat(all);
        Expect.SameBits(before.AsSpan(0, 8), after.AsSpan(0, 8), "before the gradient");
        Assert.AreEqual(before[11], after[11], "after the gradient");
        Assert.AreNotEqual(before[9], after[9]);
    }
}
