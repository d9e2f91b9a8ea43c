using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Shared memory, for every layer and type. AliasingTests goes through the kinds of overlap in detail.</summary>
[TestClass]
public sealed class LayerAliasingTests
{
    private static readonly Form[] Forms = Enum.GetValues<Form>();

    public static IEnumerable<object[]> Cases =>
        from c in LayerShapes.Medium
        from type in Data.Types
        select new object[] { c.Layer, c.Name, type };

    public static IEnumerable<object[]> FloatCases => LayerShapes.Medium.Select(c => new object[] { c.Layer, c.Name });

    /// <summary>In place where no statistics come from the input: in evaluation with buffers, and in Scale.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ForwardInPlace_IsAllowedWhereStatisticsAreGiven(string layer, string name, string type)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        double[] x = Data.Doubles(Values.Of(5, Tensors.Count(c.Shape)));
        foreach (Form form in Forms)
        {
            foreach (bool training in new[] { true, false })
            {
                AnyLayer module = AnyLayer.Make(type, c).Train(training), twin = AnyLayer.Make(type, c).Train(training);
                if (layer is "CaffeScale" || (!training && HasBuffers(layer)))
                {
                    double[] expected = twin.ForwardSpans(x, c.Shape, form, form);
                    Expect.SameBits(expected, module.ForwardInPlace(x, c.Shape, form, context: 1), $"y, {form}");
                }
                else
                {
                    var e = Assert.ThrowsExactly<ArgumentException>(() => module.ForwardInPlace(x, c.Shape, form));
                    Assert.Contains(
                        "output shares memory with input; expected memory of its own where the statistics come from the input", e.Message);
                }

                twin.State.AssertEqual(module.State, $"{form}, training {training}");
            }
        }
    }

    /// <summary>The gradient may take the place of the output's gradient or of the input, whatever way the work is divided.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void BackwardInPlace_IsAllowed(string layer, string name, string type) =>
        BackwardInPlace(LayerShapes.Of(layer, name), type, Forms);

    public static IEnumerable<object[]> LargeCases =>
        from c in LayerShapes.Large
        where c.Shape.Aggregate(1, (a, b) => a * b) < 700_000
        select new object[] { c.Layer, c.Name };

    [TestMethod]
    [DynamicData(nameof(LargeCases))]
    public void BackwardInPlace_IsAllowed_AlsoWithManyThreads(string layer, string name)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        BackwardInPlace(c, "float", c.Shape.Length > 2 ? [Form.Contiguous, Form.ChannelsLast] : [Form.Contiguous]);
    }

    [TestMethod]
    [DynamicData(nameof(FloatCases))]
    public void OverlapInPart_IsRefused(string layer, string name)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        int count = Tensors.Count(c.Shape);
        nint[] lengths = Tensors.Lengths(c.Shape);
        foreach (int distance in new[] { 1, count / 2, count - 1 })
        {
            Tensor<float> memory = Tensors.Make(Values.Of(7, count + distance), [count + distance]);
            TensorSpan<float> View(int start) => memory.AsTensorSpan().Slice([start..(start + count)]).Reshape(lengths);
            foreach (bool outputFirst in new[] { true, false })
            {
                int input = outputFirst ? distance : 0, output = outputFirst ? 0 : distance;
                foreach (bool training in new[] { true, false })
                {
                    Refusal refusal = new(c, training);
                    refusal.Says<ArgumentException>(
                        "output shares memory with input",
                        () => refusal.Norm.Forward<float>(View(input), View(output), refusal.Context),
                        memory);
                }

                Refusal backward = new(c);
                backward.Says<ArgumentException>(
                    "gradInput shares memory with gradOutput",
                    () => backward.Norm.Backward(View(input), backward.Input.AsReadOnlyTensorSpan(), View(output), backward.Context),
                    memory);
                backward = new(c);
                backward.Says<ArgumentException>(
                    "gradInput shares memory with input",
                    () => backward.Norm.Backward(backward.Input.AsReadOnlyTensorSpan(), View(input), View(output), backward.Context),
                    memory);
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(FloatCases))]
    public void OutputsOfOneElement_AreRefused(string layer, string name)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        Tensor<float> single = Tensor.Create(new float[1], Tensors.Lengths(c.Shape), new nint[c.Shape.Length]);
        string message = $"has stride 0 in dimension 0 of length {c.Shape[0]}, so that its elements overlap";
        Refusal refusal = new(c);
        refusal.Says<ArgumentException>(
            $"output {message}",
            () => refusal.Norm.Forward(refusal.Input.AsReadOnlyTensorSpan(), single.AsTensorSpan(), refusal.Context));
        refusal = new(c);
        ReadOnlyTensorSpan<float> Given() => refusal.Input.AsReadOnlyTensorSpan();
        refusal.Says<ArgumentException>(
            $"gradInput {message}", () => refusal.Norm.Backward(Given(), Given(), single.AsTensorSpan(), refusal.Context));
        Assert.AreEqual(0f, single[new nint[c.Shape.Length]]);
    }

    /// <summary>A module's tensors are reachable, and must not be overwritten by what it writes, nor moved under what it reads.</summary>
    [TestMethod]
    [DataRow("LayerNorm", "1x64", true)]
    [DataRow("LayerNorm", "1x64", false)]
    [DataRow("RMSNorm", "1x64", true)]
    [DataRow("GroupNorm", "1x64x1", true)]
    [DataRow("GroupNorm", "1x64x1", false)]
    [DataRow("BatchNorm1d", "1x64", false)]
    [DataRow("InstanceNorm1d", "64x1", false)]
    [DataRow("CaffeBatchNorm", "1x64", true)]
    [DataRow("CaffeBatchNorm", "1x64", false)]
    [DataRow("CaffeScale", "1x64", true)]
    public void OutputsOverTheModulesState_AreRefused(string layer, string lengths, bool training)
    {
        int[] shape = Tensors.Shape(lengths);
        int[] good = layer is "InstanceNorm1d" ? [64, 3] : [2, .. shape[1..]];
        ModuleCase c = new(layer, lengths, new ModuleSettings { Channels = 64, Groups = 1, Shape = [64] }, good);
        foreach (Func<NormModule<float>, Tensor<float>> state in States(Refusal.Make(c)))
        {
            Refusal refusal = new(c, training);
            Tensor<float> x = Tensors.Random(3, shape);
            refusal.Says<ArgumentException>("shares memory", () => refusal.Norm.Forward(
                x.AsReadOnlyTensorSpan(), state(refusal.Norm).AsTensorSpan().Reshape(Tensors.Lengths(shape)), refusal.Context), x);
        }
    }

    // Parameters and buffers as large as the output.
    private static IEnumerable<Func<NormModule<float>, Tensor<float>>> States(NormModule<float> module)
    {
        if (module.Weight is not null)
            yield return norm => norm.Weight!.Value;
        if (module.Bias is not null)
            yield return norm => norm.Bias!.Value;
        int buffers = ModuleTypes.Buffers(module).Count(buffer => buffer.Values.FlattenedLength > 1);
        for (int i = 0; i < buffers; i++)
        {
            int index = i;
            yield return norm => ModuleTypes.Buffers(norm).ElementAt(index).Values;
        }
    }

    private static void BackwardInPlace(ModuleCase c, string type, Form[] forms)
    {
        double[] x = Data.Doubles(Values.Of(5, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(6, x.Length));
        foreach (Form form in forms)
        {
            foreach (bool training in new[] { true, false })
            {
                AnyLayer apart = AnyLayer.Make(type, c).Train(training);
                apart.ForwardSpans(x, c.Shape, form, form);
                double[] expected = apart.BackwardSpans(dy, x, c.Shape, form, form, form);
                foreach (bool overDy in new[] { true, false })
                {
                    foreach (int threads in new[] { 0, 8 })
                    {
                        AnyLayer module = AnyLayer.Make(type, c).Train(training);
                        module.MaxThreads = threads;
                        module.ForwardSpans(x, c.Shape, form, form);
                        string when = $"{form}, training {training}, over dy {overDy}, {threads} threads";
                        Expect.SameBits(expected, module.BackwardInPlace(dy, x, c.Shape, form, overDy), $"dx, {when}");
                        apart.State.AssertEqual(module.State, when);
                    }
                }
            }
        }
    }

    private static bool HasBuffers(string layer) => layer is "CaffeBatchNorm" || layer.EndsWith('d');
}
