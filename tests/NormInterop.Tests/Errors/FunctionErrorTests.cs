using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Arguments that Norm.LayerNorm, RmsNorm, GroupNorm and InstanceNorm refuse. ArgumentErrorTests has Norm.BatchNorm.</summary>
[TestClass]
public sealed class FunctionErrorTests
{
    private static readonly Tensor<float> X = Tensors.Random(1, [4, 6, 5]);
    private static readonly Tensor<float> Six = Tensors.Random(2, [6]);
    private static readonly Tensor<float> Five = Tensors.Random(3, [5]);

    private static readonly (string Name, string Message, Action Call)[] Shapes =
    [
        ("layer: suffix", "Given normalizedShape=[4, 5], expected input with shape [*, 4, 5], but got input of size [4, 6, 5]",
            () => Norm.LayerNorm<float, float>(X, [4, 5])),
        ("layer: not a suffix", "Given normalizedShape=[4, 6], expected input with shape [*, 4, 6], but got input of size [4, 6, 5]",
            () => Norm.LayerNorm<float, float>(X, [4, 6])),
        ("layer: empty shape", "Expected normalizedShape to have at least 1 dimension, got normalizedShape=[]",
            () => Norm.LayerNorm<float, float>(X, [])),
        ("layer: zero", "Expected every dimension of normalizedShape to be at least 1, got normalizedShape=[0]",
            () => Norm.LayerNorm<float, float>(Tensors.Make([], [3, 0]), [0])),
        ("rms: suffix", "Given normalizedShape=[3, 6, 5], expected input with shape [*, 3, 6, 5], but got input of size [4, 6, 5]",
            () => Norm.RmsNorm<float, float>(X, [3, 6, 5])),
        ("rms: empty shape", "Expected normalizedShape to have at least 1 dimension, got normalizedShape=[]",
            () => Norm.RmsNorm<float, float>(X, [])),
        ("group: rank", "expected at least 2D input (got 1D input)", () => Norm.GroupNorm<float, float>(Five, 1)),
        ("group: not divisible",
            "Expected number of channels in input to be divisible by numGroups, but got input of size [4, 6, 5] and numGroups=4",
            () => Norm.GroupNorm<float, float>(X, 4)),
        ("group: more groups than channels", "input of size [4, 6, 5] and numGroups=12", () => Norm.GroupNorm<float, float>(X, 12)),
        ("group: no channels", "got input size [4, 0, 5]", () => Norm.GroupNorm<float, float>(Tensors.Make([], [4, 0, 5]), 2)),
        ("group: no positions", "Expected at least 1 value per group, got input size [4, 6, 0]",
            () => Norm.GroupNorm<float, float>(Tensors.Make([], [4, 6, 0]), 2)),
        ("group: one value", "Expected more than 1 value per channel when training, got input size [1, 3]",
            () => Norm.GroupNorm<float, float>(Tensors.Make([1, 2, 3], [1, 3]), 3)),
        ("instance: rank", "expected at least 2D input (got 1D input)", () => Norm.InstanceNorm<float, float>(Five)),
        ("instance: no channels", "got input size [4, 0, 5]", () => Norm.InstanceNorm<float, float>(Tensors.Make([], [4, 0, 5]))),
        ("instance: no positions", "Expected at least 1 spatial element, got input size [4, 3, 0]",
            () => Norm.InstanceNorm<float, float>(Tensors.Make([], [4, 3, 0]))),
        ("instance: one element", "Expected more than 1 spatial element when training, got input size [4, 6]",
            () => Norm.InstanceNorm<float, float>(Tensors.Random(1, [4, 6]))),
    ];

    public static IEnumerable<string> ShapeCases => Shapes.Select(c => c.Name);

    [TestMethod]
    [DynamicData(nameof(ShapeCases))]
    public void Shapes_AreRefused(string name)
    {
        (_, string message, Action call) = Shapes.Single(c => c.Name == name);
        Refuses(message, call);
    }

    /// <summary>Each parameter of each function: too short, too long, of another rank, broadcast, with gaps.</summary>
    [TestMethod]
    public void ParametersThatDoNotFit_AreRefused()
    {
        foreach ((string name, int[] lengths, Action<Tensor<float>> call) in new (string, int[], Action<Tensor<float>>)[]
        {
            ("weight", [5], bad => Norm.LayerNorm(X, [5], bad)),
            ("bias", [5], bad => Norm.LayerNorm(X, [5], null, bad)),
            ("weight", [5], bad => Norm.RmsNorm(X, [5], bad)),
            ("weight", [6], bad => Norm.GroupNorm(X, 2, bad)),
            ("bias", [6], bad => Norm.GroupNorm(X, 2, null, bad)),
            ("weight", [6], bad => Norm.InstanceNorm(X, null, null, bad)),
            ("bias", [6], bad => Norm.InstanceNorm(X, null, null, null, bad)),
            ("runningMean", [6], bad => Norm.InstanceNorm(X, bad, Six)),
            ("runningVar", [6], bad => Norm.InstanceNorm(X, Six, bad)),
            ("runningMean", [6], bad => Norm.InstanceNorm(X, bad, Six, useInputStats: false)),
        })
        {
            int n = lengths[0];
            foreach (int[] shape in new int[][] { [n - 1], [n + 1], [1, n], [n, 1], [0] })
            {
                Tensor<float> bad = Tensors.Make(new float[Tensors.Count(shape)], shape);
                Refuses($"{name} should contain {n} elements, got size [{string.Join(", ", shape)}]", () => call(bad));
            }

            Refuses($"{name} must be dense, got stride 0", () => call(Tensor.Create(new float[1], [n], [0])));
            Refuses($"{name} must be dense, got stride 2", () => call(Tensor.Create(new float[2 * n], [n], [2])));
        }

        foreach (Action<Tensor<float>> call in new Action<Tensor<float>>[]
        {
            bad => Norm.LayerNorm(X, [6, 5], bad), bad => Norm.LayerNorm(X, [6, 5], null, bad), bad => Norm.RmsNorm(X, [6, 5], bad),
        })
        {
            Refuses("should have size [6, 5], got size [30]", () => call(Tensors.Random(1, [30])));
            Refuses("should have size [6, 5], got size [5, 6]", () => call(Tensors.Random(1, [5, 6])));
            Refuses("must be dense, got strides [1, 6]", () => call(Tensors.Random(1, [6, 5], Form.Reversed)));
        }
    }

    [TestMethod]
    public void EpsGroupsAndNulls_AreRefused()
    {
        foreach (double eps in new[] { -1.0, double.NaN, double.NegativeInfinity })
        {
            foreach (Action call in new Action[]
            {
                () => Norm.LayerNorm(X, [5], Five, eps: eps),
                () => Norm.RmsNorm(X, [5], Five, eps),
                () => Norm.GroupNorm(X, 2, Six, eps: eps),
                () => Norm.InstanceNorm(X, weight: Six, eps: eps),
            })
            {
                var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(call);
                Assert.AreEqual("eps", e.ParamName);
                Assert.AreEqual(eps, e.ActualValue);
            }
        }

        foreach (int groups in new[] { 0, -2, int.MinValue })
        {
            var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Norm.GroupNorm(X, groups, Six));
            Assert.AreEqual("numGroups", e.ParamName);
            Assert.AreEqual(groups, e.ActualValue);
        }

        foreach (Action call in new Action[]
        {
            () => Norm.LayerNorm<float, float>(null!, [5]), () => Norm.RmsNorm<float, float>(null!, [5]),
            () => Norm.GroupNorm<float, float>(null!, 2), () => Norm.InstanceNorm<float, float>(null!),
        })
        {
            Assert.AreEqual("input", Assert.ThrowsExactly<ArgumentNullException>(call).ParamName);
        }
    }

    [TestMethod]
    public void RunningBuffersOfInstanceNorm_AreBothOrNone()
    {
        Refuses("runningVar is null; expected both running buffers, or neither", () => Norm.InstanceNorm(X, Six, null));
        Refuses("runningMean is null; expected both running buffers, or neither", () => Norm.InstanceNorm(X, null, Six));
        var e = Assert.ThrowsExactly<ArgumentNullException>(() => Norm.InstanceNorm<float, float>(X, useInputStats: false));
        Assert.AreEqual("runningMean", e.ParamName);
        Assert.Contains("to be given when the statistics are not the input's", e.Message);
        Refuses("running_mean overlaps running_var", () => Norm.InstanceNorm(X, Six, Six));
        Tensor<float> all = Tensors.Random(1, [13]);
        float[] before = Tensors.Flat(all);
        Refuses("running_mean overlaps running_var", () => Norm.InstanceNorm(X, all.Slice(0..6), all.Slice(5..11)));
        Expect.SameBits(before, Tensors.Flat(all), "the buffers");
    }

    /// <summary>Every function's backward: nulls, contexts that are not its own, parameters that do not fit.</summary>
    [TestMethod]
    [DataRow("BatchNorm")]
    [DataRow("LayerNorm")]
    [DataRow("GroupNorm")]
    [DataRow("InstanceNorm")]
    [DataRow("RmsNorm")]
    public void Backward_RefusesWhatDoesNotFit_AndKeepsTheContext(string function)
    {
        NormContext<float> context = new();
        Tensor<float> dy = Tensors.Random(4, [4, 6, 5]), bad = Tensors.Random(5, [7]), broadcast = Tensor.Create(new float[1], [5], [0]);
        Assert.ThrowsExactly<InvalidOperationException>(() => FunctionCall.Backward(function, dy, context), "no forward");
        FunctionCall.Forward(function, X, context);
        Assert.AreEqual("gradOutput", Null(() => FunctionCall.Backward<float, float>(function, null!, context)).ParamName);
        Assert.AreEqual("context", Null(() => FunctionCall.Backward<float, float>(function, dy, null!)).ParamName);
        Refuses(
            "gradOutput has size [6, 4, 5]; expected [4, 6, 5]",
            () => FunctionCall.Backward(function, Tensors.Random(1, [6, 4, 5]), context));
        Refuses("weight should contain", () => FunctionCall.Backward(function, dy, context, weight: bad));
        Refuses("weightGradient should contain", () => FunctionCall.Backward(function, dy, context, weightGradient: bad));
        if (function is not "RmsNorm")
            Refuses("biasGradient should contain", () => FunctionCall.Backward(function, dy, context, biasGradient: bad));
        if (function is "LayerNorm" or "RmsNorm")
            Refuses("weightGradient must be dense", () => FunctionCall.Backward(function, dy, context, weightGradient: broadcast));
        foreach (string other in FunctionCall.Names.Where(other => other != function))
        {
            var e = Assert.ThrowsExactly<InvalidOperationException>(() => FunctionCall.Backward(other, dy, context));
            Assert.Contains($"not that of a Norm.{other} with data of type Single", e.Message);
        }

        Tensor<Half> halves = Tensor.CreateFromShape<Half>([4, 6, 5]);
        var type = Assert.ThrowsExactly<InvalidOperationException>(() => FunctionCall.Backward(function, halves, context));
        Assert.Contains("with data of type Half", type.Message);
        Assert.IsTrue(context.IsPending, "after the refused calls");

        NormContext<float> spared = new();
        FunctionCall.Forward(function, X, spared);
        Expect.SameBits(
            Tensors.Flat(FunctionCall.Backward(function, dy, spared)), Tensors.Flat(FunctionCall.Backward(function, dy, context)), "dx");
        Assert.IsFalse(context.IsPending);
        Assert.ThrowsExactly<InvalidOperationException>(() => FunctionCall.Backward(function, dy, context), "a second backward");
    }

    /// <summary>A weight and a bias that the caller has put into the same memory as what is written.</summary>
    [TestMethod]
    [DataRow("BatchNorm")]
    [DataRow("LayerNorm")]
    [DataRow("GroupNorm")]
    [DataRow("InstanceNorm")]
    [DataRow("RmsNorm")]
    public void GradientsInTheMemoryOfOthers_AreRefused(string function)
    {
        int count = function is "LayerNorm" or "RmsNorm" ? 5 : 6;
        float[] memory = Values.Of(1, 120);
        Tensor<float> dy = Tensor.Create(memory, [4, 6, 5]), inside = Tensor.Create(memory, [count], [1]), own = Tensors.Random(2, [count]);
        NormContext<float> context = new();
        FunctionCall.Forward(function, X, context);
        float[] before = [.. memory, .. Tensors.Flat(own)];
        Refuses("shares memory with gradOutput", () => FunctionCall.Backward(function, dy, context, weightGradient: inside));
        Refuses("overlaps", () => FunctionCall.Backward(function, X, context, weight: own, weightGradient: own));
        if (function is not "RmsNorm")
            Refuses("overlaps", () => FunctionCall.Backward(function, X, context, weightGradient: own, biasGradient: own));
        Expect.SameBits(before, (float[])[.. memory, .. Tensors.Flat(own)], "memory after the refused calls");
        Assert.IsTrue(context.IsPending);
    }

    private static ArgumentNullException Null(Action call) => Assert.ThrowsExactly<ArgumentNullException>(call);

    private static void Refuses(string text, Action call) => Assert.Contains(text, Assert.ThrowsExactly<ArgumentException>(call).Message);
}
