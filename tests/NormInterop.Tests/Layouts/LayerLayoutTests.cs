using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Layouts;

/// <summary>The same numbers in every order of memory, for every layer and type: the same results, in the format of the input.</summary>
/// <remarks>
/// Layers with channels compute in the input's format if it is dense, otherwise in the contiguous one; layers of rows always in the
/// contiguous one. Equal bits are expected where that format is equal; between the two formats sums are taken in another order.
/// </remarks>
[TestClass]
public sealed class LayerLayoutTests
{
    private static readonly Form[] Forms = Enum.GetValues<Form>();

    /// <summary>Of all layers; dimensions of length 1 are in both formats at once, wherever they stand.</summary>
    private static readonly IReadOnlyList<ModuleCase> Inputs =
    [
        .. Of("BatchNorm1d", "4x3", "4x3x5", "4x1x5"), .. Of("BatchNorm2d", "4x3x2x5", "4x3x1x1"), .. Of("BatchNorm3d", "2x3x4x3x2"),
        .. Of("InstanceNorm1d", "4x3x5", "1x3x5", "3x5", "4x1x5"), .. Of("InstanceNorm2d", "4x3x2x5", "3x2x5", "1x1x3x4", "2x17x1x3"),
        .. Of("InstanceNorm3d", "2x3x4x3x2", "3x4x3x2"),
        .. Of("GroupNorm", "4x6", "4x6x5", "4x6x2x5", "1x6x1x5", "2x36x3x1", "2x6x4x3x2"),
        .. Of("LayerNorm", "4x6", "4x3x5", "4x3x2x5", "2x3x4x3x2"), .. Of("RMSNorm", "4x6", "4x3x5", "4x3x2x5", "2x3x4x3x2"),
        .. Of("CaffeBatchNorm", "4x3", "4x3x5", "4x3x2x5", "4x1x2x5", "2x3x4x3x2"),
        .. Of("CaffeScale", "4x3", "4x3x5", "4x3x2x5", "2x3x4x3x2"),
        new("CaffeScale", "4x3x2x5 by 3x2", new ModuleSettings { Shape = [3, 2] }, [4, 3, 2, 5]),
        new("CaffeScale", "4x3x2x5 by scalar", new ModuleSettings(), [4, 3, 2, 5]),
        new("CaffeScale", "4x3x2x5 by 2 at 2", new ModuleSettings { Shape = [2], Axis = 2 }, [4, 3, 2, 5]),
        new("CaffeScale", "4x3x2x5 by 4 at 0", new ModuleSettings { Shape = [4], Axis = 0 }, [4, 3, 2, 5]),
        new("LayerNorm", "4x3x2x5 over 2x5", new ModuleSettings { Shape = [2, 5] }, [4, 3, 2, 5]),
        new("RMSNorm", "4x3x2x5 over 3x2x5", new ModuleSettings { Shape = [3, 2, 5] }, [4, 3, 2, 5]),
    ];

    public static IEnumerable<object[]> Cases =>
        from i in Enumerable.Range(0, Inputs.Count)
        from form in Forms
        from type in Data.Types
        select new object[] { i, $"{Inputs[i].Layer} {Inputs[i].Name}", form, type };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Tensors_GiveTheSameInEveryForm(int index, string name, Form form, string type)
    {
        ModuleCase c = Inputs[index];
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, x.Length));
        Form format = OutputFormat(c, form);
        bool bits = SameBits(c, format);
        string strides = Strides(c, format);
        foreach (bool training in new[] { true, false })
        {
            AnyLayer module = AnyLayer.Make(type, c).Train(training), contiguous = AnyLayer.Make(type, c).Train(training);
            double[] y = module.Forward(x, c.Shape, form);
            Assert.AreEqual(strides, module.Strides, $"strides of y of {name}");
            double[] dx = module.Backward(dy, c.Shape, form);
            Assert.AreEqual(strides, module.Strides, "strides of dx");
            AssertSame(contiguous.Forward(x, c.Shape), y, bits, type, "y");
            AssertSame(contiguous.Backward(dy, c.Shape), dx, bits, type, "dx", contiguous.Oracle.LargestScale);
            foreach (((string part, double[] expected), (_, double[] actual)) in contiguous.State.Parts.Zip(module.State.Parts))
                AssertSame(expected, actual, bits, part.Contains("gradient", StringComparison.Ordinal) ? type : "float", part);
        }
    }

    /// <summary>Whatever formats the caller's four tensors have, the bits are those of the input's; nothing else is written.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Spans_MayMixForms(int index, string name, Form inputForm, string type)
    {
        ModuleCase c = Inputs[index];
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, x.Length));
        Form format = OutputFormat(c, inputForm);
        foreach (bool training in new[] { true, false })
        {
            AnyLayer pure = AnyLayer.Make(type, c).Train(training);
            double[] y = pure.Forward(x, c.Shape, format), dx = pure.Backward(dy, c.Shape, format);
            foreach (Form other in Forms)
            {
                Form next = Forms[((int)other + 2) % Forms.Length];
                AnyLayer module = AnyLayer.Make(type, c).Train(training);
                Expect.SameBits(y, module.ForwardSpans(x, c.Shape, inputForm, other), $"y of {name} in {other}");
                Expect.SameBits(dx, module.BackwardSpans(dy, x, c.Shape, next, inputForm, other), $"dx in {other}, dy in {next}");
                pure.State.AssertEqual(module.State, $"{other} and {next}");
            }
        }
    }

    /// <summary>Unbatched, the channels are dimension 0: (H, W, C) in memory stays that, and is computed like (N, H, W, C).</summary>
    [TestMethod]
    [DataRow("3x5", "1,3")]
    [DataRow("3x2x5", "1,15,3")]
    [DataRow("3x2x4x5", "1,60,15,3")]
    public void UnbatchedChannelsLast_StaysWhatItIs(string lengths, string strides)
    {
        int[] shape = Tensors.Shape(lengths);
        nint[] steps = Array.ConvertAll(strides.Split(','), nint.Parse);
        float[] memory = Values.Of(1, Tensors.Count(shape));
        Tensor<float> x = Tensor.Create(memory, Tensors.Lengths(shape), steps);
        Tensor<float> batched = Tensor.Create(memory, [1, .. Tensors.Lengths(shape)], [0, .. steps]);
        ModuleCase c = new($"InstanceNorm{shape.Length - 1}d", lengths, new ModuleSettings { Channels = 3 }, shape);
        foreach (bool training in new[] { true, false })
        {
            NormModule<float> one = Refusal.Make(c).Train(training), other = Refusal.Make(c).Train(training);
            Tensor<float> y = one.Forward(x), expected = other.Forward(batched);
            CollectionAssert.AreEqual(steps, y.Strides.ToArray(), "strides of y");
            Expect.SameBits(Tensors.Flat(expected), Tensors.Flat(y), "y");
            Tensor<float> dx = one.Backward(x);
            CollectionAssert.AreEqual(steps, dx.Strides.ToArray(), "strides of dx");
            Expect.SameBits(Tensors.Flat(other.Backward(batched)), Tensors.Flat(dx), "dx");
            new ModuleState(other).AssertEqual(new ModuleState(one), "afterwards");
        }
    }

    // The input's own form if that is contiguous, or dense with the layer's channels innermost; otherwise contiguous.
    private static Form OutputFormat(ModuleCase c, Form form)
    {
        string strides = Strides(c, form);
        bool kept = strides == Innermost(c.Shape, ChannelAxis(c)) && strides != Strides(c, Form.Contiguous);
        return kept ? form is Form.Reversed ? Form.Reversed : Form.ChannelsLast : Form.Contiguous;
    }

    private static string Strides(ModuleCase c, Form form) => Tensors.Strides(Tensors.Poisoned(c.Shape, form));

    // Without samples, the channels are dimension 0.
    private static int ChannelAxis(ModuleCase c) => IsUnbatched(c.Layer, c.Shape) ? 0 : 1;

    private static bool IsUnbatched(string layer, int[] shape) =>
        layer.StartsWith("InstanceNorm", StringComparison.Ordinal) && shape.Length == 1 + int.Parse(layer[^2..^1], null);

    private static string Innermost(int[] shape, int axis)
    {
        string[] strides = new string[shape.Length];
        int stride = 1;
        foreach (int i in Enumerable.Range(0, shape.Length).Where(i => i != axis).Append(axis).Reverse())
        {
            strides[i] = shape[i] == 1 ? "any" : $"{stride}";
            stride *= shape[i];
        }

        return string.Join(", ", strides);
    }

    // Rows, and scales of other dimensions than the channels, are computed in the order of the lengths, whatever the format.
    private static bool SameBits(ModuleCase c, Form format) =>
        format is Form.Contiguous || c.Layer is "LayerNorm" or "RMSNorm"
        || (c.Layer is "CaffeScale" && (c.Settings.Shape.Length > 1 || c.Settings.Axis != 1));

    private static IEnumerable<ModuleCase> Of(string layer, params string[] shapes) =>
        from lengths in shapes
        let shape = Tensors.Shape(lengths)
        select new ModuleCase(
            layer,
            lengths,
            new ModuleSettings
            {
                Channels = shape[IsUnbatched(layer, shape) ? 0 : 1],
                Groups = layer is "GroupNorm" ? 3 : 1,
                Shape = layer is "CaffeScale" ? [shape[1]] : [shape[^1]],
            },
            shape);

    private static void AssertSame(double[] expected, double[] actual, bool sameBits, string type, string name, double scale = 1)
    {
        double tolerance = type switch { "double" => 1e-13, "float" => 1e-5, "Half" => 1e-3, _ => 8e-3 };
        if (sameBits)
            Expect.SameBits(expected, actual, name);
        else
            Close.Relative(tolerance, expected, actual, name, Math.Max(scale, 1));
    }
}
