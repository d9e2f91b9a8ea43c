using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Arguments of constructors, settings, backward passes and functions.</summary>
[TestClass]
public sealed class ArgumentErrorTests
{
    [TestMethod]
    [DataRow("BatchNorm1d")]
    [DataRow("BatchNorm2d")]
    [DataRow("BatchNorm3d")]
    public void Constructors_RefuseWhatCannotBe(string layer)
    {
        foreach (int features in new[] { 0, -1, int.MinValue })
        {
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Layers.Make(layer, features));
            Assert.AreEqual("numFeatures", e.ParamName);
            Assert.AreEqual(features, e.ActualValue);
        }

        foreach (double eps in new[] { -1e-5, double.NaN, double.NegativeInfinity, -double.Epsilon })
        {
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Layers.Make(layer, 3, eps));
            Assert.AreEqual("eps", e.ParamName);
            Assert.AreEqual(eps, e.ActualValue);
        }

        Assert.AreEqual(0, Layers.Make(layer, 1, eps: -0.0).Eps);
        Assert.AreEqual(-3, Layers.Make(layer, 1, momentum: -3).Momentum);
    }

    [TestMethod]
    [DataRow(-1)]
    [DataRow(1025)]
    [DataRow(int.MaxValue)]
    [DataRow(int.MinValue)]
    public void ThreadCounts_HaveARange(int threads)
    {
        BatchNorm1d<float> norm = new(3) { MaxThreads = 1024 };
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => norm.MaxThreads = threads);
        Assert.AreEqual(threads, e.ActualValue);
        Assert.AreEqual(1024, norm.MaxThreads);
        int limit = NormRuntime.ThreadLimit;
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => NormRuntime.ThreadLimit = threads);
        Assert.AreEqual(limit, NormRuntime.ThreadLimit);
    }

    [TestMethod]
    [DataRow("4x3x2")]
    [DataRow("4x3x5x2")]
    [DataRow("5x3x2x5")]
    [DataRow("4x3x2x5x1")]
    public void OtherLengthsInTheBackward_AreRefused(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        string size = $"has size [{string.Join(", ", shape)}]; expected [4, 3, 2, 5], the size of the input of the forward";
        Tensor<float> wrong = Tensors.Make(new float[Tensors.Count(shape)], shape), right = Tensors.Make(new float[120], [4, 3, 2, 5]);
        Tensor<float> dx = Tensors.Poisoned([4, 3, 2, 5]), wrongDx = Tensors.Poisoned(shape);
        Refusal refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>($"gradOutput {size}", () => refusal.Norm.Backward(wrong, refusal.Context));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>($"gradOutput {size}", () => refusal.Norm.Backward(wrong));
        foreach ((string name, Tensor<float> dy, Tensor<float> x, Tensor<float> gradient) in new[]
        {
            ("gradOutput", wrong, right, dx), ("input", right, wrong, dx), ("gradInput", right, right, wrongDx),
        })
        {
            refusal = new(4, 3, 2, 5);
            refusal.Says<ArgumentException>(
                $"{name} {size}",
                () => refusal.Norm.Backward(
                    dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), gradient.AsTensorSpan(), refusal.Context),
                gradient);
        }
    }

    [TestMethod]
    public void NullsInTheBackward_AreRefused()
    {
        Tensor<float> x = Tensors.Make(new float[120], [4, 3, 2, 5]), dx = Tensors.Poisoned([4, 3, 2, 5]);
        Refusal refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentNullException>("gradOutput", () => refusal.Norm.Backward<float>(null!));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentNullException>("gradOutput", () => refusal.Norm.Backward<float>(null!, refusal.Context));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentNullException>("context", () => refusal.Norm.Backward(x, null!));
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentNullException>(
            "context", () => refusal.Norm.Backward(x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), null!), dx);
        refusal = new(4, 3, 2, 5);
        refusal.Says<ArgumentException>(
            "gradOutput has size []", () => refusal.Norm.Backward<float>(default, default, default, refusal.Context), dx);
        Assert.ThrowsExactly<ArgumentNullException>(() => Norm.BatchNorm<float, float>(null!, null, null, training: true));
        Assert.ThrowsExactly<ArgumentNullException>(() => Norm.BatchNormBackward<float, float>(null!, new NormContext<float>()));
        Assert.ThrowsExactly<ArgumentNullException>(() => Norm.BatchNormBackward<float, float>(x, null!));
    }

    [TestMethod]
    public void Function_RefusesParametersThatDoNotFit()
    {
        Tensor<float> x = Tensors.Make(Values.Of(1, 24), [8, 3]);
        Tensor<float> three = Tensors.Make([5, 6, 7], [3]), other = Tensors.Make([8, 9, 10], [3]), two = Tensors.Make([1, 2], [2]);
        Tensor<float> matrix = Tensors.Make([1, 2, 3], [1, 3]);
        Tensor<float> broadcast = Tensor.Create(new float[1], [3], [0]), gaps = Tensor.Create(new float[5], [3], [2]);
        foreach (Tensor<float> bad in new[] { two, matrix, Tensors.Make([], [0]) })
        {
            string size = $"should contain 3 elements, got size [{string.Join(", ", bad.Lengths.ToArray())}]";
            Refuses($"weight {size}", () => Norm.BatchNorm(x, three, other, bad, training: true));
            Refuses($"bias {size}", () => Norm.BatchNorm(x, three, other, null, bad, training: true));
            Refuses($"runningMean {size}", () => Norm.BatchNorm(x, bad, other, training: true));
            Refuses($"runningVar {size}", () => Norm.BatchNorm(x, three, bad, training: true));
        }

        foreach (Tensor<float> bad in new[] { broadcast, gaps })
        {
            string stride = $"must be dense, got stride {bad.Strides[0]}";
            Refuses($"weight {stride}", () => Norm.BatchNorm(x, three, other, bad, training: true));
            Refuses($"runningMean {stride}", () => Norm.BatchNorm(x, bad, other, training: true));
        }

        Refuses("runningVar is null", () => Norm.BatchNorm(x, three, null, training: true));
        Refuses("runningMean is null", () => Norm.BatchNorm(x, null, three));
        Assert.AreEqual(
            "runningMean", Assert.ThrowsExactly<ArgumentNullException>(() => Norm.BatchNorm<float, float>(x, null, null)).ParamName);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Norm.BatchNorm(x, three, other, training: true, eps: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Norm.BatchNorm(x, three, other, eps: double.NaN));
        CollectionAssert.AreEqual(new float[] { 5, 6, 7, 8, 9, 10 }, (float[])[.. Tensors.Flat(three), .. Tensors.Flat(other)]);
    }

    [TestMethod]
    public void Function_RefusesShapesThatDoNotFit()
    {
        foreach ((string message, Tensor<float> input) in new[]
        {
            ("expected at least 2D input (got 1D input)", Tensors.Make([1], [1])),
            ("expected at least 2D input (got 0D input)", Tensor<float>.Empty),
            ("got input size [2, 0, 4]", Tensors.Make([], [2, 0, 4])),
            ("Expected at least 1 value per channel, got input size [2, 3, 0]", Tensors.Make([], [2, 3, 0])),
            ("Expected more than 1 value per channel when training, got input size [1, 3]", Tensors.Make([1, 2, 3], [1, 3])),
        })
        {
            Refuses(message, () => Norm.BatchNorm<float, float>(input, null, null, training: true));
        }
    }

    [TestMethod]
    public void FunctionBackward_RefusesWhatDoesNotFit_AndKeepsTheContext()
    {
        Tensor<float> x = Tensors.Make(Values.Of(1, 24), [8, 3]), dy = Tensors.Make(Values.Of(2, 24), [8, 3]);
        Tensor<float> broadcast = Tensor.Create(new float[1], [3], [0]);
        Tensor<float> two = Tensors.Make([1, 2], [2]), weight = Tensors.Make([1, 2, 3], [3]), gradient = Tensors.Make([4, 5, 6], [3]);
        NormContext<float> context = new();
        Norm.BatchNorm(x, null, null, weight, training: true, context: context);
        Refuses("weight should contain 3", () => Norm.BatchNormBackward(dy, context, two, gradient, null));
        Refuses("weightGradient should contain 3", () => Norm.BatchNormBackward(dy, context, weight, two, gradient));
        Refuses("biasGradient should contain 3", () => Norm.BatchNormBackward(dy, context, weight, gradient, two));
        Refuses("biasGradient must be dense", () => Norm.BatchNormBackward(dy, context, weight, gradient, broadcast));
        Refuses("gradOutput has size [3, 8]", () => Norm.BatchNormBackward(Tensors.Make(new float[24], [3, 8]), context, weight, gradient));
        CollectionAssert.AreEqual(new float[] { 4, 5, 6 }, Tensors.Flat(gradient));
        Assert.IsTrue(context.IsPending);
        Norm.BatchNormBackward(dy, context, weight, gradient);
        Assert.IsFalse(context.IsPending);
        Assert.AreNotEqual(4f, gradient[0]);
    }

    private static void Refuses(string text, Action call) => Assert.Contains(text, Assert.ThrowsExactly<ArgumentException>(call).Message);
}
