using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Fused;

/// <summary>A layer with an activation beside the same layer without one, which is followed by the steps in plain C#.</summary>
internal abstract class FusedPair
{
    internal static FusedPair Make(string type, ModuleCase c, string step) => type switch
    {
        "float" => new FusedPair<float, float>(c, step),
        "double" => new FusedPair<double, double>(c, step),
        "Half" => new FusedPair<Half, float>(c, step),
        "BFloat16" => new FusedPair<BFloat16, float>(c, step),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Expected one of Data.Types."),
    };

    /// <summary>Those of some cases that are of layers which may have an activation.</summary>
    internal static IEnumerable<ModuleCase> Of(IEnumerable<ModuleCase> cases) =>
        cases.Where(c => c.Layer is "GroupNorm" or ['B', 'a', 't', 'c', 'h', ..] or ['I', 'n', 's', 't', ..]);

    /// <summary>Whether the forward of a mode takes its statistics from running buffers.</summary>
    internal abstract bool ReadsRunning(bool training);

    /// <summary>Forward and backward of both: outputs, gradients and the state afterwards are those of the steps.</summary>
    internal void Check(FusedCall call)
    {
        Forward(call);
        if (!call.Spans || call.Context is not null)
            Backward(call);
    }

    /// <summary>Forward of both.</summary>
    internal abstract void Forward(FusedCall call);

    /// <summary>Backward of both, for the last forward with this call's context.</summary>
    internal abstract void Backward(FusedCall call);
}

/// <inheritdoc cref="FusedPair"/>
internal sealed class FusedPair<TData, T> : FusedPair
    where TData : unmanaged, INumber<TData>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // How far gradients of SiLU may be off, relative to the largest: single elements of g may be rounded to the other side.
    private static readonly double Tolerance = typeof(TData) == typeof(double) ? 1e-13
        : typeof(TData) == typeof(float) ? 2e-6
        : typeof(TData) == typeof(Half) ? 4e-3
        : 3e-2;

    private readonly int[] _shape;
    private readonly string _step;
    private readonly FusedNorm<T> _fused;
    private readonly FusedNorm<T> _plain;
    private readonly NormContext<T>[] _contexts = [new(), new(), new()];
    private readonly NormContext<T>[] _plainContexts = [new(), new(), new()];
    private readonly Dictionary<int, Tensor<TData>> _plainOutputs = [];

    internal FusedPair(ModuleCase c, string step)
    {
        _shape = c.Shape;
        _step = step;
        _fused = (FusedNorm<T>)ModuleTypes.Make<T>(c.Layer, c.Settings with { Activation = FusedSteps.Activation(step) });
        _plain = (FusedNorm<T>)ModuleTypes.Make<T>(c.Layer, c.Settings);
        ModuleTypes.Vary(_fused);
        ModuleTypes.Vary(_plain);
    }

    private bool Adds => _step is FusedSteps.Residual;

    internal override bool ReadsRunning(bool training) => !training && _plain is RunningNorm<T> { RunningMean: not null };

    internal override void Forward(FusedCall call)
    {
        _fused.Train(call.Training);
        _plain.Train(call.Training);
        Tensor<TData> x = Numbers(call.Seed, call.Input), r = Numbers(call.Seed + 1, call.Residual);
        double[] residual = Data.Flat(r);
        Tensor<TData> z = _plain.Forward(x, _plainContexts[call.Context ?? 0]), y;
        if (call.Spans)
        {
            y = call.OutputOverInput ? x : call.OutputOverResidual ? r : Data.Poisoned<TData>(_shape, call.Output);
            NormContext<T>? context = call.Context is { } number ? _contexts[number] : null;
            if (Adds)
                _fused.Forward(x.AsReadOnlyTensorSpan(), r.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
            else
                _fused.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
            Tensors.AssertSurroundingsUntouched(y, $"y, {call}");
        }
        else
        {
            y = (Adds, call.Context) switch
            {
                (false, null) => _fused.Forward(x),
                (false, { } number) => _fused.Forward(x, _contexts[number]),
                (true, null) => _fused.Forward(x, r),
                (true, { } number) => _fused.Forward(x, r, _contexts[number]),
            };
            Assert.AreEqual(Tensors.Strides(z), Tensors.Strides(y), $"strides of y, {call}");
        }

        FusedSteps.CheckOutput<TData>(_step, Data.Flat(z), residual, Data.Flat(y));
        ModuleState.Of(_plain).AssertEqual(ModuleState.Of(_fused), $"after the forward, {call}");
        _plainOutputs[call.Context ?? 0] = z;
    }

    internal override void Backward(FusedCall call)
    {
        Tensor<TData> dy = Numbers(call.Seed + 2, call.GradOutput), r = Numbers(call.Seed + 1, call.Residual);
        Tensor<TData> z = _plainOutputs[call.Context ?? 0];
        double[] g = FusedSteps.Gradient<TData>(_step, Data.Flat(z), Data.Flat(r), Data.Flat(dy));

        // A mask has the order of the forward's input, and then so does the backward; sums depend on the order.
        Form order = call.Spans && !Adds ? call.InputAgain : call.Input;
        Tensor<TData> x = Numbers(call.Seed, order), expected = Tensor.CreateFromShape<TData>(Tensors.Lengths(_shape));
        _plain.Backward(
            Data.Make<TData>(g, _shape).AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), expected.AsTensorSpan(),
            _plainContexts[call.Context ?? 0]);
        Tensor<TData> dx = call.Spans ? BackwardSpans(call, dy, out Tensor<TData>? dr) : BackwardTensors(call, dy, out dr);

        Compare(Data.Flat(expected), Data.Flat(dx), $"dx, {call}");
        if (dr is not null)
            Expect.SameBits(g, Data.Flat(dr), $"dr, {call}");
        CompareStates($"after the backward, {call}");
    }

    private Tensor<TData> BackwardTensors(FusedCall call, Tensor<TData> dy, out Tensor<TData>? dr)
    {
        dr = null;
        Tensor<TData> dx = (Adds && !call.LeaveOutResidual, call.Context) switch
        {
            (false, null) => _fused.Backward(dy),
            (false, { } number) => _fused.Backward(dy, _contexts[number]),
            (true, null) => _fused.Backward(dy, out dr),
            (true, { } number) => _fused.Backward(dy, out dr, _contexts[number]),
        };
        string strides = Tensors.Strides(_plainOutputs[call.Context ?? 0]);
        Assert.AreEqual(strides, Tensors.Strides(dx), $"strides of dx, {call}");
        Assert.AreEqual(strides, Tensors.Strides(dr ?? dx), $"strides of dr, {call}");
        return dx;
    }

    private Tensor<TData> BackwardSpans(FusedCall call, Tensor<TData> dy, out Tensor<TData>? dr)
    {
        Tensor<TData> x = Numbers(call.Seed, call.InputAgain);
        Tensor<TData> dx = call.GradInputOverGradOutput ? dy : call.GradInputOverInput ? x : Data.Poisoned<TData>(_shape, call.Output);
        NormContext<T> context = _contexts[call.Context!.Value];
        dr = null;
        if (Adds && !call.LeaveOutResidual)
        {
            dr = call.GradResidualOverGradOutput ? dy : Data.Poisoned<TData>(_shape, call.Residual);
            _fused.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), dr.AsTensorSpan(), context);
            Tensors.AssertSurroundingsUntouched(dr, $"dr, {call}");
        }
        else
        {
            _fused.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
        }

        Tensors.AssertSurroundingsUntouched(dx, $"dx, {call}");
        return dx;
    }

    private void Compare(double[] expected, double[] actual, string name)
    {
        if (_step is "SiLU")
            Close.Relative(Tolerance, expected, actual, name);
        else
            Expect.SameBits(expected, actual, name);
    }

    // Gradients of parameters add up; those of SiLU are set to the same again, so that later comparisons begin anew.
    private void CompareStates(string when)
    {
        ModuleState expected = ModuleState.Of(_plain), actual = ModuleState.Of(_fused);
        foreach (((string name, double[] values), (_, double[] others)) in expected.Parts.Zip(actual.Parts))
            Compare(values, others, $"{name}, {when}");
        if (_step is "SiLU")
        {
            _plain.ZeroGradients();
            _fused.ZeroGradients();
        }

        ModuleState.Of(_plain).AssertEqual(ModuleState.Of(_fused), when);
    }

    private Tensor<TData> Numbers(ulong seed, Form form) =>
        Data.Make<TData>(Data.Doubles(Values.Of(seed, Tensors.Count(_shape))), _shape, form);
}
