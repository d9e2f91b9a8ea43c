using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Layer normalization (Ba, Kiros and Hinton 2016): the last dimensions together are normalized, for every index of those before
/// them, y = (x - mean) / sqrt(var + eps) * weight + bias, with a weight and a bias per element.
/// </summary>
/// <remarks>
/// <para>Takes inputs of any rank whose last lengths are normalizedShape. Mean and (biased) variance are those of the input, in
/// training and in evaluation, which are the same.</para>
/// <para>Behaves as torch.nn.LayerNorm. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class LayerNorm<T> : NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int[] _shape;
    private readonly nint[] _lengths;

    /// <summary>Makes a layer in training mode, with weight 1 and bias 0.</summary>
    /// <param name="normalizedShape">The last lengths of inputs, over which they are normalized: at least one, each at least 1.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="elementwiseAffine">Whether there is a weight.</param>
    /// <param name="bias">Whether there is a bias beside the weight.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">eps is negative or NaN.</exception>
    /// <exception cref="ArgumentException">normalizedShape is empty, has a length below 1, or more elements than an array can.</exception>
    public LayerNorm(ReadOnlySpan<int> normalizedShape, double eps = 1e-5, bool elementwiseAffine = true, bool bias = true)
    {
        Guard.ParameterType<T>();
        Guard.Eps(eps, nameof(eps));
        _lengths = Shapes.Normalized(normalizedShape);
        _shape = normalizedShape.ToArray();
        Eps = eps;
        if (elementwiseAffine)
            Weight = new Parameter<T>(_lengths, T.One);
        if (elementwiseAffine && bias)
            Bias = new Parameter<T>(_lengths, T.Zero);
    }

    /// <summary>The last lengths of inputs; those of weight and bias.</summary>
    public ReadOnlySpan<int> NormalizedShape => _shape;

    /// <summary>What is added to the variance before the square root.</summary>
    public double Eps { get; }

    /// <inheritdoc/>
    public override LayerNorm<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override LayerNorm<T> Eval() => Train(false);

    /// <summary>The layer and its settings, in PyTorch's form.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{LayerName}({Shapes.Tuple(_shape)}, eps={Eps:g}, elementwise_affine={Weight is not null})");

    private protected override NormGeometry CheckInput(ReadOnlySpan<nint> lengths) => Shapes.Rows(lengths, _lengths);

    private protected override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context) =>
        NormCalls.Forward(input, output, geometry, Arguments(NormKernel.RowStatistics, Eps), context);
}
