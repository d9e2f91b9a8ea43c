using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>What a backward pass gives, and how parameter gradients add up.</summary>
[TestClass]
public sealed class BackwardTests
{
    private static readonly int[] Shape = [4, 3, 5, 2];
    private static readonly int Count = Tensors.Count(Shape);

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Gradients_AreThoseOfTheReference(bool training)
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        norm.Train(training);
        float[] x = Values.Of(1, Count, offset: 2), dy = Values.Of(2, Count);
        Oracle oracle = new(norm, x, Shape);
        (double[] dx, double[] dweight, double[] dbias) = oracle.Backward(dy);
        norm.Forward(Tensors.Make(x, Shape));
        Expect.Gradient(dx, Tensors.Flat(norm.Backward(Tensors.Make(dy, Shape))), "dx");
        Expect.Gradient(dweight, Tensors.Flat(norm.Weight!.Gradient), "weight gradient");
        Expect.Gradient(dbias, Tensors.Flat(norm.Bias!.Gradient), "bias gradient");
    }

    /// <summary>In evaluation the statistics are constants: dx is nothing but dy, scaled.</summary>
    [TestMethod]
    public void Evaluation_ScalesTheGradient()
    {
        BatchNorm1d<float> norm = new(1, eps: 0);
        norm.Weight!.Value[0] = 3;
        norm.RunningVar![0] = 4;
        norm.RunningMean![0] = 1;
        norm.Eval();
        norm.Forward(Tensor.Create<float>([5, 9], [2, 1]));
        Tensor<float> dx = norm.Backward(Tensor.Create<float>([1, 10], [2, 1]));
        Expect.SameBits([1.5f, 15], Tensors.Flat(dx), "dx");
        Assert.AreEqual(42f, norm.Weight.Gradient[0], "1 * (5 - 1) / 2 + 10 * (9 - 1) / 2");
        Assert.AreEqual(11f, norm.Bias!.Gradient[0]);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void ParameterGradients_AccumulateUntilCleared(bool training)
    {
        BatchNorm<float> norm = Layers.Varied(Shape);
        norm.Train(training);
        float[] dy = Values.Of(2, Count);
        double[] dweight = [100, 0, 0], dbias = [0, 0, -50];
        norm.Weight!.Gradient[0] = 100;
        norm.Bias!.Gradient[2] = -50;
        for (ulong step = 0; step < 3; step++)
        {
            float[] x = Values.Of(10 + step, Count);
            (_, double[] w, double[] b) = new Oracle(norm, x, Shape).Backward(dy);
            for (int c = 0; c < 3; c++)
            {
                dweight[c] += w[c];
                dbias[c] += b[c];
            }

            norm.Forward(Tensors.Make(x, Shape));
            norm.Backward(Tensors.Make(dy, Shape));
            Expect.Gradient(dweight, Tensors.Flat(norm.Weight.Gradient), $"weight gradient of step {step}");
            Expect.Gradient(dbias, Tensors.Flat(norm.Bias.Gradient), $"bias gradient of step {step}");
        }

        norm.Weight.ZeroGradient();
        CollectionAssert.AreEqual(new float[3], Tensors.Flat(norm.Weight.Gradient));
        Expect.Gradient(dbias, Tensors.Flat(norm.Bias.Gradient), "bias gradient, not cleared yet");
        norm.ZeroGradients();
        CollectionAssert.AreEqual(new float[3], Tensors.Flat(norm.Bias.Gradient));
    }

    /// <summary>A training backward removes the mean and the part along x^ from dy: what is left has neither.</summary>
    [TestMethod]
    public void Training_LeavesNothingAlongTheMeanOrTheOutput()
    {
        BatchNorm2d<float> norm = new(3, eps: 0);
        float[] y = Tensors.Flat(norm.Forward(Tensors.Make(Values.Of(1, Count), Shape)));
        float[] dx = Tensors.Flat(norm.Backward(Tensors.Make(Values.Of(2, Count), Shape)));
        int plane = Shape[2] * Shape[3];
        for (int c = 0; c < 3; c++)
        {
            int[] own = [.. Enumerable.Range(0, Count).Where(i => i / plane % 3 == c)];
            Assert.AreEqual(0, own.Sum(i => (double)dx[i]), 1e-5, $"sum of dx of channel {c}");
            Assert.AreEqual(0, own.Sum(i => (double)dx[i] * y[i]), 1e-5, $"sum of dx * y of channel {c}");
        }
    }

    /// <summary>The mode at the time of the forward decides, not that of the backward.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void SwitchingTheMode_DoesNotChangeAPendingBackward(bool training)
    {
        Tensor<float> x = Tensors.Make(Values.Of(1, Count), Shape), dy = Tensors.Make(Values.Of(2, Count), Shape);
        BatchNorm<float> norm = Layers.Varied(Shape), twin = Layers.Varied(Shape);
        norm.Train(training).Forward(x);
        twin.Train(training).Forward(x);
        float[] expected = Tensors.Flat(twin.Backward(dy));
        norm.Train(!training);
        Expect.SameBits(expected, Tensors.Flat(norm.Backward(dy)), "dx");
        twin.Train(!training);
        new ModuleState(twin).AssertEqual(new ModuleState(norm), "after backward");
    }

    /// <summary>The weight is read by the backward: a step of the optimizer in between is the caller's own doing, and counts.</summary>
    [TestMethod]
    public void Weight_IsReadAtTheTimeOfTheBackward()
    {
        Tensor<float> x = Tensors.Make(Values.Of(1, Count), Shape), dy = Tensors.Make(Values.Of(2, Count), Shape);
        BatchNorm2d<float> norm = new(3);
        norm.Forward(x);
        float[] single = Tensors.Flat(norm.Backward(dy));
        norm.Forward(x);
        norm.Weight!.Value.Fill(2f);
        Expect.SameBits(Array.ConvertAll(single, value => 2 * value), Tensors.Flat(norm.Backward(dy)), "dx with twice the weight");
    }
}
