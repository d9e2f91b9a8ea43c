using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>What a new layer is, in every type of layer; what a reset makes of a used one; and the switch of the mode.</summary>
[TestClass]
public sealed class DefaultsTests
{
    private static readonly (NormModule<float> Module, string Text, string State)[] New =
    [
        (new InstanceNorm1d<float>(2), "InstanceNorm1d(2, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)", ""),
        (new InstanceNorm2d<float>(2), "InstanceNorm2d(2, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)", ""),
        (new InstanceNorm3d<float>(2), "InstanceNorm3d(2, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)", ""),
        (new InstanceNorm2d<float>(2, 0, -3, true, true), "InstanceNorm2d(2, eps=0, momentum=-3, affine=True, track_running_stats=True)",
            "weight 1 1, bias 0 0, running mean 0 0, running var 1 1"),
        (new GroupNorm<float>(2, 4), "GroupNorm(2, 4, eps=1e-05, affine=True)", "weight 1 1 1 1, bias 0 0 0 0"),
        (new GroupNorm<float>(1, 4, 0.5, false), "GroupNorm(1, 4, eps=0.5, affine=False)", ""),
        (new GroupNorm<float>(1, 4, 0.5, false) { Activation = Activation.SiLU },
            "GroupNorm(1, 4, eps=0.5, affine=False, activation=SiLU)", ""),
        (new InstanceNorm1d<float>(2) { Activation = Activation.ReLU },
            "InstanceNorm1d(2, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, activation=ReLU)", ""),
        (new BatchNorm2d<float>(1) { Activation = Activation.ReLU },
            "BatchNorm2d(1, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, activation=ReLU)",
            "weight 1, bias 0, running mean 0, running var 1"),
        (new LayerNorm<float>([3]), "LayerNorm((3,), eps=1e-05, elementwise_affine=True)", "weight 1 1 1, bias 0 0 0"),
        (new LayerNorm<float>([2, 1], bias: false), "LayerNorm((2, 1), eps=1e-05, elementwise_affine=True)", "weight 1 1"),
        (new LayerNorm<float>([3], 0.1, false), "LayerNorm((3,), eps=0.1, elementwise_affine=False)", ""),
        (new RMSNorm<float>([3]), "RMSNorm((3,), eps=None, elementwise_affine=True)", "weight 1 1 1"),
        (new RMSNorm<float>([1, 2], 1e-6, false), "RMSNorm((1, 2), eps=1e-06, elementwise_affine=False)", ""),
        (new CaffeBatchNorm<float>(2), "CaffeBatchNorm(2, eps=1e-05, moving_average_fraction=0.999, use_global_stats=None)",
            "mean sum 0 0, variance sum 0 0, factor 0"),
        (new CaffeScale<float>([2]), "CaffeScale((2,), axis=1, bias_term=False)", "weight 1 1"),
        (new CaffeScale<float>([], 0, true), "CaffeScale((), axis=0, bias_term=True)", "weight 1, bias 0"),
        (new CaffeScale<float>([2, 1], -2, true), "CaffeScale((2, 1), axis=-2, bias_term=True)", "weight 1 1, bias 0 0"),
        (new BatchNorm3d<float>(1), "BatchNorm3d(1, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
            "weight 1, bias 0, running mean 0, running var 1"),
    ];

    public static IEnumerable<string> Texts => New.Select(layer => layer.Text);

    [TestMethod]
    [DynamicData(nameof(Texts))]
    public void NewLayer_HasTheDocumentedState(string text)
    {
        (NormModule<float> module, _, string state) = New.Single(layer => layer.Text == text);
        Assert.AreEqual(text, module.ToString());
        Assert.IsTrue(module.IsTraining);
        Assert.AreEqual(0, module.MaxThreads);
        ModuleState actual = new(module);
        var parts = actual.Parts.ToLookup(part => part.Name.EndsWith("gradient", StringComparison.Ordinal));
        Assert.AreEqual(state, string.Join(", ", parts[false].Select(part => $"{part.Name} {string.Join(' ', part.Values)}")));
        Assert.IsTrue(parts[true].All(part => part.Values.All(value => value == 0)), "gradients");
        foreach (Parameter<float> parameter in new[] { module.Weight, module.Bias }.OfType<Parameter<float>>())
            CollectionAssert.AreEqual(parameter.Value.Lengths.ToArray(), parameter.Gradient.Lengths.ToArray());
    }

    [TestMethod]
    public void ParametersOfRows_HaveTheNormalizedShape()
    {
        LayerNorm<double> layer = new([4, 3, 2]);
        CollectionAssert.AreEqual(new nint[] { 4, 3, 2 }, layer.Weight!.Value.Lengths.ToArray());
        CollectionAssert.AreEqual(new nint[] { 4, 3, 2 }, layer.Bias!.Gradient.Lengths.ToArray());
        CollectionAssert.AreEqual(new[] { 4, 3, 2 }, layer.NormalizedShape.ToArray());
        CollectionAssert.AreEqual(new nint[] { 4, 3 }, new RMSNorm<double>([4, 3]).Weight!.Value.Lengths.ToArray());
        CollectionAssert.AreEqual(new[] { 4, 3 }, new RMSNorm<double>([4, 3]).NormalizedShape.ToArray());
        Assert.IsNull(new RMSNorm<double>([4, 3]).Bias);
        Assert.IsNull(new RMSNorm<double>([4, 3]).Eps);
        Assert.AreEqual(2, new CaffeScale<double>([4, 3]).NumAxes);
        CollectionAssert.AreEqual(new nint[] { 1 }, new CaffeScale<double>([]).Weight!.Value.Lengths.ToArray());
    }

    public static IEnumerable<object[]> Cases => ModuleCase.All.Select(c => new object[] { c.Layer, c.Name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ResetParameters_RestoresEverything(string layer, string name)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        NormModule<float> used = Refusal.Make(c), fresh = ModuleTypes.Make<float>(layer, c.Settings);
        Tensor<float> x = Tensors.Random(1, c.Shape);
        used.Forward(x);
        used.Backward(x);
        used.ResetParameters();
        new ModuleState(fresh).AssertEqual(new ModuleState(used), "after the reset");
    }

    /// <summary>Train and Eval return the module, as the type that it is.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TrainAndEval_ReturnTheModule(string layer, string name)
    {
        NormModule<double> module = ModuleTypes.Make<double>(layer, ModuleCase.Of(layer, name).Settings);
        Assert.AreSame(module, module.Eval());
        Assert.IsFalse(module.IsTraining);
        Assert.AreSame(module, module.Train());
        Assert.IsTrue(module.IsTraining);
        Assert.AreSame(module, module.Train(false));
        Assert.IsFalse(module.IsTraining);
        Assert.AreEqual(module.GetType(), module.GetType().GetMethod(nameof(module.Eval))!.ReturnType);
    }
}
