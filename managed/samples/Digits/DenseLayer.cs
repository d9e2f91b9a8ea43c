using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>Something to do with a parameter: all its elements, and as many of its gradient.</summary>
internal delegate void ParameterAction(Span<float> value, Span<float> gradient);

/// <summary>A fully connected layer, y = x W + b, with x of shape (N, inputs) and y of shape (N, outputs).</summary>
/// <remarks>
/// Every product is written as "row += number * row". That vectorizes, and it fixes the order of every sum; TensorPrimitives.Dot would
/// add in an order that depends on the vector width of the CPU, and the demo's numbers would differ from machine to machine.
/// </remarks>
internal sealed class DenseLayer
{
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly float[] _weight;            // [inputs, outputs]
    private readonly float[] _weightTransposed;  // [outputs, inputs], rebuilt where it is needed
    private readonly float[] _weightGradient;
    private readonly float[] _bias;
    private readonly float[] _biasGradient;
    private Tensor<float>? _input;

    /// <summary>Draws the weights from U(-a, a), a = sqrt(6 / inputs): He et al. 2015, eq. 10, for layers followed by ReLU.</summary>
    public DenseLayer(int inputs, int outputs, Random random)
    {
        _inputs = inputs;
        _outputs = outputs;
        _weight = new float[inputs * outputs];
        _weightTransposed = new float[_weight.Length];
        _weightGradient = new float[_weight.Length];
        _bias = new float[outputs];
        _biasGradient = new float[outputs];

        double bound = Math.Sqrt(6.0 / inputs);
        for (int i = 0; i < _weight.Length; i++)
            _weight[i] = (float)(((2 * random.NextDouble()) - 1) * bound);
    }

    public Tensor<float> Forward(Tensor<float> x)
    {
        _input = x;
        int rows = (int)x.Lengths[0];
        float[] y = new float[rows * _outputs];
        for (int n = 0; n < rows; n++)
            _bias.CopyTo(y, n * _outputs);

        AddProduct(x.Elements(), _weight, y, _inputs, _outputs);
        return Tensor.Create(y, [rows, _outputs]);
    }

    /// <summary>Accumulates the gradients of W and b; returns that of the input of the last Forward.</summary>
    public Tensor<float> Backward(Tensor<float> outputGradient)
    {
        if (_input is null)
            throw new InvalidOperationException("Backward needs a Forward before it.");

        ReadOnlySpan<float> x = _input.Elements();
        ReadOnlySpan<float> dy = outputGradient.Elements();
        int rows = (int)_input.Lengths[0];
        for (int n = 0; n < rows; n++)
        {
            ReadOnlySpan<float> dyRow = dy.Slice(n * _outputs, _outputs);
            TensorPrimitives.Add(_biasGradient, dyRow, _biasGradient);
            for (int k = 0; k < _inputs; k++)
                AddScaled(x[(n * _inputs) + k], dyRow, _weightGradient.AsSpan(k * _outputs, _outputs));
        }

        Transpose();
        float[] dx = new float[rows * _inputs];
        AddProduct(dy, _weightTransposed, dx, _outputs, _inputs);
        return Tensor.Create(dx, [rows, _inputs]);
    }

    /// <summary>One step of gradient descent, after which the gradients are zero again.</summary>
    public void Step(float learningRate)
    {
        AddScaled(-learningRate, _weightGradient, _weight);
        AddScaled(-learningRate, _biasGradient, _bias);
        Array.Clear(_weightGradient);
        Array.Clear(_biasGradient);
    }

    /// <summary>Weight, then bias.</summary>
    public void ForEachParameter(ParameterAction action)
    {
        action(_weight, _weightGradient);
        action(_bias, _biasGradient);
    }

    /// <summary>Weight and bias as torch.nn.Linear has them: the weight as [outputs, inputs].</summary>
    public StateDict StateDict(string prefix)
    {
        Transpose();
        return new StateDict
        {
            [prefix + "weight"] = StateTensor.FromTensor(Tensor.Create(_weightTransposed, [_outputs, _inputs])),
            [prefix + "bias"] = StateTensor.FromTensor(Tensor.Create(_bias)),
        };
    }

    /// <summary>Takes weight and bias in the form of <see cref="StateDict"/>.</summary>
    /// <exception cref="KeyNotFoundException">The dict lacks the weight or the bias.</exception>
    /// <exception cref="ArgumentException">The dict's weight or bias has another shape.</exception>
    public void LoadStateDict(StateDict state, string prefix)
    {
        StateTensor weight = state[prefix + "weight"];
        StateTensor bias = state[prefix + "bias"];
        if (!weight.Shape.SequenceEqual([_outputs, _inputs]) || !bias.Shape.SequenceEqual([_outputs]))
            throw new ArgumentException($"{prefix}weight is {weight} and {prefix}bias {bias}; this layer has others.", nameof(state));

        ReadOnlySpan<float> rows = weight.ToTensor<float>().Elements();
        for (int k = 0; k < _inputs; k++)
        {
            for (int o = 0; o < _outputs; o++)
                _weight[(k * _outputs) + o] = rows[(o * _inputs) + k];
        }

        bias.ToTensor<float>().Elements().CopyTo(_bias);
    }

    /// <summary>result[rows, columns] += left[rows, inner] * right[inner, columns].</summary>
    private static void AddProduct(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result, int inner, int columns)
    {
        for (int n = 0; n < left.Length / inner; n++)
        {
            Span<float> row = result.Slice(n * columns, columns);
            for (int k = 0; k < inner; k++)
                AddScaled(left[(n * inner) + k], right.Slice(k * columns, columns), row);
        }
    }

    // Fused, because that is one rounding by definition on every machine.
    private static void AddScaled(float factor, ReadOnlySpan<float> values, Span<float> sums) =>
        TensorPrimitives.FusedMultiplyAdd(values, factor, sums, sums);

    private void Transpose()
    {
        for (int k = 0; k < _inputs; k++)
        {
            for (int o = 0; o < _outputs; o++)
                _weightTransposed[(o * _inputs) + k] = _weight[(k * _outputs) + o];
        }
    }
}
