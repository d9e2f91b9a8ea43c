using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Root mean square normalization (Zhang and Sennrich 2019): the last dimensions together are divided by the root of their mean
/// square, for every index of those before them, y = x / sqrt(mean(x^2) + eps) * weight, with a weight per element.
/// </summary>
/// <remarks>
/// <para>Takes inputs of any rank whose last lengths are normalizedShape. The mean square is that of the input, in training and in
/// evaluation, which are the same.</para>
/// <para>Behaves as torch.nn.RMSNorm. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class RMSNorm<T> : NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int[] _shape;
    private readonly nint[] _lengths;

    /// <summary>Makes a layer in training mode, with weight 1.</summary>
    /// <param name="normalizedShape">The last lengths of inputs, over which they are normalized: at least one, each at least 1.</param>
    /// <param name="eps">What is added to the mean square before the root; at least 0. Null for the machine epsilon of T, 2^-23 for
    /// float (also where the data are Half or BFloat16) and 2^-52 for double.</param>
    /// <param name="elementwiseAffine">Whether there is a weight.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">eps is negative or NaN.</exception>
    /// <exception cref="ArgumentException">normalizedShape is empty, has a length below 1, or more elements than an array can.</exception>
    public RMSNorm(ReadOnlySpan<int> normalizedShape, double? eps = null, bool elementwiseAffine = true)
    {
        Guard.ParameterType<T>();
        Guard.Eps(eps ?? 0, nameof(eps));
        _lengths = Shapes.Normalized(normalizedShape);
        _shape = normalizedShape.ToArray();
        Eps = eps;
        if (elementwiseAffine)
            Weight = new Parameter<T>(_lengths, T.One);
    }

    /// <summary>The last lengths of inputs; those of the weight.</summary>
    public ReadOnlySpan<int> NormalizedShape => _shape;

    /// <summary>What is added to the mean square before the root; null for the machine epsilon of T.</summary>
    public double? Eps { get; }

    /// <inheritdoc/>
    public override RMSNorm<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override RMSNorm<T> Eval() => Train(false);

    /// <summary>The layer and its settings, in PyTorch's form.</summary>
    public override string ToString()
    {
        string eps = Eps?.ToString("g", CultureInfo.InvariantCulture) ?? "None";
        return $"{LayerName}({Shapes.Tuple(_shape)}, eps={eps}, elementwise_affine={Weight is not null})";
    }

    private protected override NormGeometry CheckInput(ReadOnlySpan<nint> lengths) => Shapes.Rows(lengths, _lengths);

    private protected override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context) =>
        NormCalls.Forward(input, output, geometry, Arguments(NormKernel.RowMeanSquare, Eps ?? Shapes.MachineEpsilon<T>()), context);
}
