using NormInterop.Tests.Support;

namespace NormInterop.Tests.Fused;

/// <summary>Activation and residual in the pass of the normalization give what the separate steps give, to the bit.</summary>
[TestClass]
public sealed class FusedTests
{
    private static readonly Form[] Forms = [Form.Contiguous, Form.ChannelsLast, Form.Reversed, Form.Sliced, Form.SlicedChannelsLast];

    private static readonly bool[] Modes = [true, false];

    private static IReadOnlyList<ModuleCase> Small { get; } = [.. FusedPair.Of(ModuleCase.All)];

    private static IReadOnlyList<ModuleCase> Medium { get; } = [.. FusedPair.Of(LayerShapes.Medium)];

    public static IEnumerable<object[]> Cases =>
        from c in Small.Concat(Medium)
        from type in Data.Types
        select new object[] { c.Layer, c.Name, type };

    /// <summary>One of the cases of each layer with all settings.</summary>
    public static IEnumerable<object[]> Layers =>
        from c in Small.GroupBy(c => c.Layer).Select(cases => cases.First(c => c.Shape.Length > 2))
        from type in Data.Types
        from step in FusedSteps.Names
        select new object[] { c.Layer, c.Name, type, step };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TensorForms_AreTheSteps(string layer, string name, string type)
    {
        foreach (string step in FusedSteps.Names)
        {
            FusedPair pair = FusedPair.Make(type, Of(layer, name), step);
            foreach (bool training in Modes)
            {
                foreach (Form form in FormsOf(Of(layer, name), Form.Contiguous, Form.ChannelsLast, Form.Reversed))
                    pair.Check(FusedCall.OfOne(form) with { Training = training });
                pair.Check(new FusedCall { Training = training, Context = 1, Residual = Form.Reversed, GradOutput = Form.Sliced });
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void SpanForms_AreTheSteps(string layer, string name, string type)
    {
        foreach (string step in FusedSteps.Names)
        {
            FusedPair pair = FusedPair.Make(type, Of(layer, name), step);
            foreach (bool training in Modes)
            {
                foreach (Form form in FormsOf(Of(layer, name), Form.Contiguous, Form.ChannelsLast))
                {
                    FusedCall call = FusedCall.OfOne(form) with { Training = training, Spans = true };
                    pair.Check(call);
                    pair.Check(call with { Context = 1 });
                }
            }
        }
    }

    /// <summary>Every tensor in a form of its own, the input of the backward in another than that of the forward.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void SpansOfAllForms_AreTheSteps(string layer, string name, string type, string step)
    {
        FusedPair pair = FusedPair.Make(type, Of(layer, name), step);
        foreach (int shift in Enumerable.Range(0, Forms.Length))
        {
            Form At(int i) => Forms[(i + shift) % Forms.Length];
            foreach (bool training in Modes)
            {
                pair.Check(new FusedCall
                {
                    Seed = (ulong)shift,
                    Training = training,
                    Spans = true,
                    Context = 1,
                    Input = At(0),
                    Residual = At(1),
                    Output = At(2),
                    GradOutput = At(3),
                    InputAgain = At(4),
                });
            }
        }
    }

    /// <summary>Outputs in the place of inputs, wherever that is allowed.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void InPlace_IsTheSteps(string layer, string name, string type, string step)
    {
        FusedPair pair = FusedPair.Make(type, Of(layer, name), step);
        foreach (Form form in Forms)
        {
            foreach (bool training in Modes)
            {
                FusedCall call = FusedCall.OfOne(form) with { Training = training, Spans = true, Context = 2 };
                pair.Check(call with { OutputOverResidual = true, GradResidualOverGradOutput = true });
                pair.Check(call with { GradResidualOverGradOutput = true, GradInputOverInput = true });
                pair.Check(call with { GradInputOverGradOutput = true });
                if (pair.ReadsRunning(training))
                    pair.Check(call with { OutputOverInput = true });
            }
        }
    }

    /// <summary>Two forwards that await their backward at once, and contexts that are used again.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void Contexts_AreIndependentAndCanBeReused(string layer, string name, string type, string step)
    {
        FusedPair pair = FusedPair.Make(type, Of(layer, name), step);
        foreach (bool training in Modes)
        {
            FusedCall first = new() { Seed = 3, Training = training, Context = 1 };
            FusedCall second = FusedCall.OfOne(Form.ChannelsLast) with { Seed = 6, Training = training, Spans = true, Context = 2 };
            pair.Forward(first);
            pair.Forward(second);
            pair.Backward(first);
            pair.Backward(second);
            pair.Check(second with { Seed = 9, Context = 1 });
            pair.Check(first with { Seed = 12, Context = 2 });
        }
    }

    /// <summary>Where nobody wants the gradient of the residual, the plain backward goes without it.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void PlainBackward_LeavesTheResidualOut(string layer, string name, string type, string step)
    {
        FusedPair pair = FusedPair.Make(type, Of(layer, name), step);
        foreach (Form form in FormsOf(Of(layer, name), Form.Contiguous, Form.ChannelsLast, Form.Reversed))
        {
            FusedCall call = FusedCall.OfOne(form) with { LeaveOutResidual = true };
            pair.Check(call);
            pair.Check(call with { Spans = true, Context = 1, InputAgain = Form.Contiguous });
        }
    }

    private static ModuleCase Of(string layer, string name) => Small.Concat(Medium).Single(c => c.Layer == layer && c.Name == name);

    private static IEnumerable<Form> FormsOf(ModuleCase c, params Form[] forms) =>
        forms.Where(form => form is not Form.ChannelsLast || c.Shape.Length > 2);
}
