using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Backward passes with other lengths, in the wrong order, or with the context of someone else, for every layer.</summary>
[TestClass]
public sealed class LayerBackwardErrorTests
{
    public static IEnumerable<string> Layers => ModuleTypes.ByName.Keys;

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void OtherLengths_AreRefused(string layer)
    {
        ModuleCase c = First(layer);
        Tensor<float> right = Tensors.Random(1, c.Shape), dx = Tensors.Poisoned(c.Shape);
        foreach (int[] shape in new int[][]
        {
            [.. c.Shape, 1], [1, .. c.Shape], [c.Shape[0] + 1, .. c.Shape[1..]], c.Shape[1..], [0, .. c.Shape[1..]],
        })
        {
            string size = $"has size [{string.Join(", ", shape)}]; expected [{string.Join(", ", c.Shape)}], the size of the input of the";
            Tensor<float> wrong = Tensors.Random(1, shape), wrongDx = Tensors.Poisoned(shape);
            Refusal refusal = new(c);
            refusal.Says<ArgumentException>($"gradOutput {size}", () => refusal.Norm.Backward(wrong));
            refusal = new(c);
            refusal.Says<ArgumentException>($"gradOutput {size}", () => refusal.Norm.Backward(wrong, refusal.Context));
            foreach ((string name, Tensor<float> dy, Tensor<float> x, Tensor<float> gradient) in new[]
            {
                ("gradOutput", wrong, right, dx), ("input", right, wrong, dx), ("gradInput", right, right, wrongDx),
            })
            {
                refusal = new(c);
                refusal.Says<ArgumentException>(
                    $"{name} {size}",
                    () => refusal.Norm.Backward(
                        dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), gradient.AsTensorSpan(), refusal.Context),
                    gradient);
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void Nulls_AreRefused(string layer)
    {
        ModuleCase c = First(layer);
        Refusal refusal = new(c);
        Assert.AreEqual("gradOutput", refusal.Of<ArgumentNullException>(() => refusal.Norm.Backward<float>(null!)).ParamName);
        refusal = new(c);
        var e = refusal.Of<ArgumentNullException>(() => refusal.Norm.Backward<float>(null!, refusal.Context));
        Assert.AreEqual("gradOutput", e.ParamName);
        refusal = new(c);
        Assert.AreEqual("context", refusal.Of<ArgumentNullException>(() => refusal.Norm.Backward(refusal.Input, null!)).ParamName);
        refusal = new(c);
        refusal.Says<ArgumentException>(
            "gradOutput has size []; expected", () => refusal.Norm.Backward<float>(default, default, default, refusal.Context));
    }

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void WrongOrder_IsRefused(string layer)
    {
        ModuleCase c = First(layer);
        NormModule<float> norm = Refusal.Make(c);
        NormContext<float> context = new();
        Tensor<float> x = Tensors.Random(1, c.Shape), y = Tensors.Poisoned(c.Shape);
        const string message = "Backward needs a Forward before it, and each Forward has one Backward.";
        AssertRefused(norm, message, () => norm.Backward(x));
        AssertRefused(norm, message, () => norm.Backward(x, context));
        AssertRefused(norm, message, () => norm.Backward(
            x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context));
        norm.Forward(x);
        norm.Backward(x);
        AssertRefused(norm, message, () => norm.Backward(x));
        norm.Forward(x, context);
        norm.Backward(x, context);
        AssertRefused(norm, message, () => norm.Backward(x, context));
        norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan());
        AssertRefused(norm, message, () => norm.Backward(x));
        norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
        AssertRefused(norm, "was given spans", () => norm.Backward(x, context));
        Assert.IsTrue(context.IsPending);
    }

    /// <summary>A context belongs to the module that filled it, even where another one of its kind would compute the same.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void ContextOfSomeoneElse_IsRefused(string layer)
    {
        const string message = "The context was filled by the forward of another module, or by a function.";
        ModuleCase c = First(layer);
        NormContext<float> context = new();
        Tensor<float> dy = Tensors.Random(2, c.Shape), dx = Tensors.Poisoned(c.Shape);
        foreach (string other in ModuleTypes.ByName.Keys)
        {
            ModuleCase otherCase = First(other);
            NormModule<float> norm = Refusal.Make(c), stranger = Refusal.Make(otherCase);
            Tensor<float> x = Tensors.Random(1, otherCase.Shape);
            stranger.Forward(x, context);
            AssertRefused(norm, message, () => norm.Backward(dy, context));
            AssertRefused(norm, message, () => norm.Backward(
                dy.AsReadOnlyTensorSpan(), dy.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context));
            foreach (string function in FunctionCall.Names)
                AssertRefused(stranger, $"not that of a Norm.{function}", () => FunctionCall.Backward(function, x, context));
            Assert.IsTrue(context.IsPending);
            stranger.Backward(x, context);
        }

        foreach (string function in FunctionCall.Names)
        {
            NormModule<float> norm = Refusal.Make(c);
            Tensor<float> x = Tensors.Random(1, [3, 4, 5]);
            FunctionCall.Forward(function, x, context);
            AssertRefused(norm, message, () => norm.Backward(dy, context));
            Assert.IsTrue(context.IsPending);
            FunctionCall.Backward(function, x, context);
        }
    }

    private static ModuleCase First(string layer) => ModuleCase.All.First(c => c.Layer == layer);

    private static void AssertRefused(NormModule<float> norm, string message, Action call)
    {
        ModuleState before = new(norm);
        Assert.Contains(message, Assert.ThrowsExactly<InvalidOperationException>(call).Message);
        before.AssertEqual(new ModuleState(norm), "after the refused call");
    }
}
