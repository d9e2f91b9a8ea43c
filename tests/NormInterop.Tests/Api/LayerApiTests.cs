using System.Globalization;
using System.Numerics.Tensors;
using System.Reflection;
using System.Runtime.CompilerServices;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Api;

/// <summary>What all layers and functions have in common, and the names and orders that users know from PyTorch.</summary>
[TestClass]
public sealed class LayerApiTests
{
    // Parameters of the constructors of torch.nn, in C#'s spelling; of Caffe's layers, those of its prototxt.
    private static readonly Dictionary<string, string> Constructors = new()
    {
        ["BatchNorm1d"] = "numFeatures, eps = 1E-05, momentum = 0.1, affine = True, trackRunningStats = True",
        ["BatchNorm2d"] = "numFeatures, eps = 1E-05, momentum = 0.1, affine = True, trackRunningStats = True",
        ["BatchNorm3d"] = "numFeatures, eps = 1E-05, momentum = 0.1, affine = True, trackRunningStats = True",
        ["SyncBatchNorm"] = "numFeatures, group, eps = 1E-05, momentum = 0.1, affine = True, trackRunningStats = True",
        ["InstanceNorm1d"] = "numFeatures, eps = 1E-05, momentum = 0.1, affine = False, trackRunningStats = False",
        ["InstanceNorm2d"] = "numFeatures, eps = 1E-05, momentum = 0.1, affine = False, trackRunningStats = False",
        ["InstanceNorm3d"] = "numFeatures, eps = 1E-05, momentum = 0.1, affine = False, trackRunningStats = False",
        ["GroupNorm"] = "numGroups, numChannels, eps = 1E-05, affine = True",
        ["LayerNorm"] = "normalizedShape, eps = 1E-05, elementwiseAffine = True, bias = True",
        ["RMSNorm"] = "normalizedShape, eps = null, elementwiseAffine = True",
        ["CaffeBatchNorm"] = "numFeatures, eps = 1E-05, movingAverageFraction = 0.999, useGlobalStats = null",
        ["CaffeScale"] = "shape, axis = 1, biasTerm = False",
    };

    // Parameters of torch.nn.functional, and what this library adds at the end.
    private static readonly Dictionary<string, string> Functions = new()
    {
        ["BatchNorm"] = "input, runningMean, runningVar, weight = null, bias = null, training = False, momentum = 0.1, eps = 1E-05, "
            + "context = null",
        ["InstanceNorm"] = "input, runningMean = null, runningVar = null, weight = null, bias = null, useInputStats = True, "
            + "momentum = 0.1, eps = 1E-05, context = null",
        ["LayerNorm"] = "input, normalizedShape, weight = null, bias = null, eps = 1E-05, context = null",
        ["GroupNorm"] = "input, numGroups, weight = null, bias = null, eps = 1E-05, context = null",
        ["RmsNorm"] = "input, normalizedShape, weight = null, eps = null, context = null",
    };

    public static IEnumerable<string> Layers => ModuleTypes.ByName.Keys;

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void Layers_HaveOneForm(string layer)
    {
        Type type = ModuleTypes.ByName[layer];
        Assert.IsTrue(type.IsSealed, "sealed");
        Assert.HasCount(1, type.GetGenericArguments());
        Assert.HasCount(1, type.GetConstructors());
        Assert.AreEqual(Constructors[layer], Parameters(type.GetConstructors()[0]));

        // Chains of calls keep the type: new LayerNorm<float>([3]).Eval().NormalizedShape.
        foreach (string method in new[] { nameof(NormModule<>.Train), nameof(NormModule<>.Eval) })
        {
            MethodInfo own = type.GetMethod(method)!;
            Assert.AreEqual(type, own.DeclaringType, method);
            Assert.AreEqual(type, own.ReturnType, method);
        }

        Assert.AreNotEqual(typeof(object), type.GetMethod(nameof(ToString), [])!.DeclaringType);
        foreach (PropertyInfo property in type.GetProperties().Where(p => p.Name is not nameof(NormModule<>.MaxThreads)))
            Assert.IsTrue(property.GetSetMethod() is not { } set || IsInit(set), $"{property.Name} can be set from outside");
    }

    /// <summary>The layers that are followed by activations in networks have one; the others do not.</summary>
    [TestMethod]
    public void LayersOfChannels_HaveAnActivation()
    {
        string[] expected =
        [
            "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "GroupNorm",
        ];
        IEnumerable<string> actual = Layers.Where(layer => ModuleTypes.ByName[layer].GetProperty("Activation") is not null);
        CollectionAssert.AreEquivalent(expected, actual.ToArray());
    }

    /// <summary>A function for each, its backward beside it, and nothing else.</summary>
    [TestMethod]
    public void Functions_HaveTheOrderOfTorch()
    {
        MethodInfo[] methods = typeof(Norm).GetMethods(BindingFlags.Public | BindingFlags.Static);
        string[] expected = [.. FunctionCall.Names, .. FunctionCall.Names.Select(name => $"{name}Backward")];
        CollectionAssert.AreEquivalent(expected, methods.Select(m => m.Name).ToArray());
        Assert.AreEqual(string.Join(' ', Functions.Keys.Order()), string.Join(' ', FunctionCall.Names.Order()));
        foreach (string name in FunctionCall.Names)
        {
            Assert.AreEqual(Functions[name], Parameters(methods.Single(m => m.Name == name)), name);
            string bias = name is "RmsNorm" ? "" : ", biasGradient = null";
            string backward = $"gradOutput, context, weight = null, weightGradient = null{bias}";
            Assert.AreEqual(backward, Parameters(methods.Single(m => m.Name == $"{name}Backward")), $"{name}Backward");
        }
    }

    /// <summary>Every layer through the interface of them all: what generic code of a user can rely on.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void Layers_WorkThroughTheirBaseType(string layer)
    {
        ModuleCase c = ModuleCase.All.First(candidate => candidate.Layer == layer);
        NormModule<double> module = ModuleTypes.Make<double>(layer, c.Settings);
        Tensor<double> x = Data.Make<double>(Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), c.Shape);
        Tensor<double> y = module.Train().Forward(x), dx = module.Backward(y);
        CollectionAssert.AreEqual(x.Lengths.ToArray(), y.Lengths.ToArray());
        CollectionAssert.AreEqual(x.Lengths.ToArray(), dx.Lengths.ToArray());
        Assert.AreNotSame(x, y);
        Assert.StartsWith($"{layer}(", module.Eval().ToString()!);
        module.ZeroGradients();
        module.ResetParameters();
    }

    // A property that an initializer may set, and nobody later.
    private static bool IsInit(MethodInfo set) => set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Text));

    private static string Text(ParameterInfo parameter)
    {
        if (!parameter.HasDefaultValue)
            return parameter.Name!;
        return string.Create(CultureInfo.InvariantCulture, $"{parameter.Name} = {parameter.DefaultValue ?? "null"}");
    }
}
