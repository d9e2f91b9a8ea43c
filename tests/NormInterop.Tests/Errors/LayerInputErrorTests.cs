using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Inputs that do not fit, for every layer after BatchNorm: the message, in which mode, and that nothing has happened.</summary>
[TestClass]
public sealed class LayerInputErrorTests
{
    private const string TooFew = "Expected more than 1 value per channel when training, got input size ";
    private const string OneElement = "Expected more than 1 spatial element when training, got input size ";
    private const string ThereButGot = "expected input with these lengths there, but got input of size ";
    private const string NoElement = "Expected at least 1 spatial element, got input size ";

    private static readonly ModuleSettings Three = new() { Channels = 3 };
    private static readonly ModuleSettings Untracked = new() { Channels = 3, Tracking = false };
    private static readonly ModuleSettings Unparametrized = new() { Channels = 3, Tracking = false, Affine = false };
    private static readonly ModuleSettings Pairs = new() { Channels = 6, Groups = 3 };
    private static readonly ModuleSettings Single = new() { Channels = 3, Groups = 3 };
    private static readonly ModuleSettings ThreeByFour = new() { Shape = [3, 4] };

    // An input that fits, then those that do not, with their messages; Training where evaluation takes it.
    private static readonly
        (string Layer, ModuleSettings Settings, string Good, (string Shape, string Message, bool Training)[] Bad)[] All =
    [
        ("InstanceNorm1d", Three, "2x3x4",
        [
            ("5", "expected 2D or 3D input (got 1D input)", false),
            ("2x3x4x5", "expected 2D or 3D input (got 4D input)", false),
            ("2x4x5", "expected input with 3 channels (got 4 channels, input size [2, 4, 5])", false),
            ("2x0x5", "expected input with 3 channels (got 0 channels, input size [2, 0, 5])", false),
            ("0x4x5", "expected input with 3 channels (got 4 channels, input size [0, 4, 5])", false),
            ("4x5", "expected input with 3 channels (got 4 channels, input size [4, 5])", false),
            ("2x3x1", OneElement + "[2, 3, 1]", true),
            ("3x1", OneElement + "[3, 1]", true),
            ("2x3x0", NoElement + "[2, 3, 0]", false),
            ("3x0", NoElement + "[3, 0]", false),
        ]),
        ("InstanceNorm1d", Untracked, "2x3x4",
        [
            ("2x3x1", OneElement + "[2, 3, 1]", false),
            ("2x4x5", "expected input with 3 channels (got 4 channels, input size [2, 4, 5])", false),
        ]),
        ("InstanceNorm1d", Three with { Affine = false }, "2x3x4",
            [("2x4x5", "expected input with 3 channels (got 4 channels, input size [2, 4, 5])", false)]),
        ("InstanceNorm1d", Unparametrized, "2x3x4",
        [
            ("2x0x5", "expected 1 to 2147483647 channels, got input size [2, 0, 5]", false),
            ("0x5", "expected 1 to 2147483647 channels, got input size [0, 5]", false),
            ("2x4x1", OneElement + "[2, 4, 1]", false),
        ]),
        ("InstanceNorm2d", Three, "2x3x4x5",
        [
            ("3x4", "expected 3D or 4D input (got 2D input)", false),
            ("2x3x4x5x6", "expected 3D or 4D input (got 5D input)", false),
            ("4x5x5", "expected input with 3 channels (got 4 channels, input size [4, 5, 5])", false),
            ("2x3x1x1", OneElement + "[2, 3, 1, 1]", true),
            ("3x1x1", OneElement + "[3, 1, 1]", true),
            ("2x3x0x4", NoElement + "[2, 3, 0, 4]", false),
        ]),
        ("InstanceNorm3d", Three, "2x3x2x2x2",
        [
            ("3x4x5", "expected 4D or 5D input (got 3D input)", false),
            ("2x3x4x5x6x7", "expected 4D or 5D input (got 6D input)", false),
            ("2x4x2x2x2", "expected input with 3 channels (got 4 channels, input size [2, 4, 2, 2, 2])", false),
            ("2x3x1x1x1", OneElement + "[2, 3, 1, 1, 1]", true),
        ]),
        ("GroupNorm", Pairs, "2x6x4",
        [
            ("6", "expected at least 2D input (got 1D input)", false),
            ("2x5x4", "expected input with 6 channels (got 5 channels, input size [2, 5, 4])", false),
            ("2x3x4", "expected input with 6 channels (got 3 channels, input size [2, 3, 4])", false),
            ("2x0x4", "expected input with 6 channels (got 0 channels, input size [2, 0, 4])", false),
            ("2x6x0", "Expected at least 1 value per group, got input size [2, 6, 0]", false),
        ]),
        ("GroupNorm", Single, "2x3x4", [("1x3", TooFew + "[1, 3]", false), ("1x3x1x1", TooFew + "[1, 3, 1, 1]", false)]),
        .. Rows("LayerNorm"),
        .. Rows("RMSNorm"),
        ("CaffeBatchNorm", Three, "2x3x4",
        [
            ("3", "expected at least 2D input (got 1D input)", false),
            ("2x4x5", "expected input with 3 channels (got 4 channels, input size [2, 4, 5])", false),
            ("2x3x0", "Expected at least 1 value per channel, got input size [2, 3, 0]", false),
        ]),
        ("CaffeScale", new ModuleSettings { Shape = [3] }, "2x3x4",
        [
            ("3", "expected at least 2D input (got 1D input)", false),
            ("2x4x5", "Given a scale of [3] from axis 1, " + ThereButGot + "[2, 4, 5]", false),
            ("3x2", "Given a scale of [3] from axis 1, " + ThereButGot + "[3, 2]", false),
        ]),
        ("CaffeScale", ThreeByFour, "2x3x4",
        [
            ("2x3", "expected at least 3D input (got 2D input)", false),
            ("2x4x3", "Given a scale of [3, 4] from axis 1, " + ThereButGot + "[2, 4, 3]", false),
        ]),
        ("CaffeScale", new ModuleSettings { Shape = [4], Axis = -1 }, "2x3x4",
        [
            ("2x4x3", "Given a scale of [4] from axis -1, " + ThereButGot + "[2, 4, 3]", false),
        ]),
        ("CaffeScale", new ModuleSettings { Shape = [3], Axis = -2 }, "2x3x4", [("3", "expected at least 2D input (got 1D input)", false)]),
    ];

    public static IEnumerable<object[]> Cases =>
        from i in Enumerable.Range(0, All.Length)
        from bad in All[i].Bad
        select new object[] { i, $"{All[i].Layer} {All[i].Good}", bad.Shape };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Input_IsRefusedByEveryForward(int index, string name, string lengths)
    {
        (string layer, ModuleSettings settings, string good, var bad) = All[index];
        (_, string message, bool trainingOnly) = bad.Single(candidate => candidate.Shape == lengths);
        ModuleCase c = new(layer, name, settings, Tensors.Shape(good));
        int[] shape = Tensors.Shape(lengths);
        Tensor<float> input = Tensors.Make(new float[Tensors.Count(shape)], shape), output = Tensors.Poisoned(shape);
        foreach (bool training in new[] { true, false })
        {
            if (trainingOnly && !training)
            {
                Refusal.Make(c).Eval().Forward(input);
                continue;
            }

            Refusal refusal = new(c, training);
            refusal.Says<ArgumentException>(message, () => refusal.Norm.Forward(input));
            refusal = new(c, training);
            refusal.Says<ArgumentException>(message, () => refusal.Norm.Forward(input, refusal.Context));
            refusal = new(c, training);
            refusal.Says<ArgumentException>(
                message, () => refusal.Norm.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context), output);
            refusal = new(c, training);
            refusal.Says<ArgumentException>(
                message, () => refusal.Norm.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan()), output);
        }
    }

    public static IEnumerable<object[]> PerLayer => ModuleTypes.ByName.Keys.Select(layer => new object[] { layer });

    [TestMethod]
    [DynamicData(nameof(PerLayer))]
    public void NoTensorAtAll_IsRefused(string layer)
    {
        ModuleCase c = ModuleCase.All.First(candidate => candidate.Layer == layer);
        Refusal refusal = new(c);
        Assert.AreEqual("input", refusal.Of<ArgumentNullException>(() => refusal.Norm.Forward<float>(null!)).ParamName);
        refusal = new(c);
        Assert.AreEqual("context", refusal.Of<ArgumentNullException>(() => refusal.Norm.Forward(refusal.Input, null!)).ParamName);
        refusal = new(c);
        refusal.Of<ArgumentException>(() => refusal.Norm.Forward(default(ReadOnlyTensorSpan<float>), default, refusal.Context));
        refusal = new(c);
        refusal.Of<ArgumentException>(() => refusal.Norm.Forward(Tensor<float>.Empty, refusal.Context));
        refusal = new(c);
        refusal.Says<ArgumentException>(
            "output has size []; expected", () => refusal.Norm.Forward(refusal.Input.AsReadOnlyTensorSpan(), default, refusal.Context));
    }

    [TestMethod]
    [DynamicData(nameof(PerLayer))]
    public void OtherLengthsOfTheOutput_AreRefused(string layer)
    {
        ModuleCase c = ModuleCase.All.First(candidate => candidate.Layer == layer);
        foreach (int[] shape in new int[][] { [.. c.Shape, 1], [1, .. c.Shape], [.. c.Shape[..^1], c.Shape[^1] + 1], c.Shape[1..] })
        {
            Tensor<float> output = Tensors.Poisoned(shape);
            Refusal refusal = new(c);
            refusal.Says<ArgumentException>(
                $"output has size [{string.Join(", ", shape)}]; expected [{string.Join(", ", c.Shape)}], the size of the input",
                () => refusal.Norm.Forward(refusal.Input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), refusal.Context), output);
        }
    }

    private static IEnumerable<(string, ModuleSettings, string, (string, string, bool)[])> Rows(string layer)
    {
        (string, string, bool) Bad(string shape, string normalized) => (
            shape,
            $"Given normalizedShape=[{normalized}], expected input with shape [*, {normalized}], but got input of size "
                + $"[{shape.Replace("x", ", ", StringComparison.Ordinal)}]",
            false);
        yield return (layer, ThreeByFour, "2x3x4",
            [.. new[] { "2x3x5", "4", "3", "12", "2x4x3", "3x4x1", "2x0x4", "0x3x0" }.Select(shape => Bad(shape, "3, 4"))]);
        yield return (layer, new ModuleSettings { Shape = [6, 3] }, "2x6x3", [Bad("2x6x3x4", "6, 3")]);
        yield return (layer, new ModuleSettings { Shape = [5] }, "2x5", [Bad("5x4", "5"), Bad("2x0", "5"), Bad("2x1", "5")]);
    }
}
