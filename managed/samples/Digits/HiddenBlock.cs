using System.Diagnostics;
using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>A hidden layer: dense, then a normalization if wanted, then ReLU. This is where the demo uses the library.</summary>
internal sealed class HiddenBlock(int inputs, int outputs, NormModule<float>? normalization, Random random)
{
    private readonly DenseLayer _dense = new(inputs, outputs, random);
    private Tensor<float>? _activated;

    public NormModule<float>? Normalization => normalization;

    /// <summary>Time spent inside the normalization, counted in training mode only.</summary>
    public TimeSpan NormalizationTime { get; private set; }

    public Tensor<float> Forward(Tensor<float> x)
    {
        Tensor<float> y = _dense.Forward(x);
        if (Normalization is not null)
        {
            long start = Stopwatch.GetTimestamp();
            y = Normalization.Forward(y);
            if (Normalization.IsTraining)
                NormalizationTime += Stopwatch.GetElapsedTime(start);
        }

        // ReLU, in place: a normalization needs its input again for Backward, but not its output.
        TensorPrimitives.Max(y.Elements(), 0f, y.Elements());
        _activated = y;
        return y;
    }

    public Tensor<float> Backward(Tensor<float> gradient)
    {
        if (_activated is null)
            throw new InvalidOperationException("Backward needs a Forward before it.");

        // ReLU lets a gradient pass where its output is above zero.
        Span<float> dy = gradient.Elements();
        ReadOnlySpan<float> y = _activated.Elements();
        for (int i = 0; i < dy.Length; i++)
            dy[i] = y[i] > 0 ? dy[i] : 0;

        if (Normalization is not null)
        {
            long start = Stopwatch.GetTimestamp();
            gradient = Normalization.Backward(gradient);
            NormalizationTime += Stopwatch.GetElapsedTime(start);
        }

        return _dense.Backward(gradient);
    }

    /// <summary>One step of gradient descent for the dense layer and for weight and bias of the normalization.</summary>
    public void Step(float learningRate)
    {
        _dense.Step(learningRate);
        Step(Normalization?.Weight, learningRate);
        Step(Normalization?.Bias, learningRate);
    }

    /// <summary>The dense layer's parameters, then those of the normalization.</summary>
    public void ForEachParameter(ParameterAction action)
    {
        _dense.ForEachParameter(action);
        if (Normalization?.Weight is { } weight)
            action(weight.Value.Elements(), weight.Gradient.Elements());
        if (Normalization?.Bias is { } bias)
            action(bias.Value.Elements(), bias.Gradient.Elements());
    }

    /// <summary>A copy of the state, the dense layer's under one prefix and the normalization's under another.</summary>
    public StateDict StateDict(string densePrefix, string normalizationPrefix)
    {
        StateDict state = _dense.StateDict(densePrefix);
        return Normalization is null ? state : state.Merge(Normalization.StateDict(normalizationPrefix));
    }

    public void LoadStateDict(StateDict state, string densePrefix, string normalizationPrefix)
    {
        _dense.LoadStateDict(state, densePrefix);
        Normalization?.LoadStateDict(state, normalizationPrefix);
    }

    private static void Step(Parameter<float>? parameter, float learningRate)
    {
        if (parameter is null)
            return;

        Span<float> value = parameter.Value.Elements();
        TensorPrimitives.FusedMultiplyAdd(parameter.Gradient.Elements(), -learningRate, value, value);
        parameter.ZeroGradient();
    }
}
