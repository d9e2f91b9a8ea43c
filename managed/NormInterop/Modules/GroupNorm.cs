using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Group normalization (Wu and He 2018): the channels of every sample fall into groups of neighbours, and every group is normalized
/// over its channels and all positions, y = (x - mean) / sqrt(var + eps) * weight + bias, with a weight and a bias per channel.
/// </summary>
/// <remarks>
/// <para>Takes inputs (N, C, ...) of any rank from 2 on. Mean and (biased) variance are those of the input, in training and in
/// evaluation, which are the same.</para>
/// <para>Behaves as torch.nn.GroupNorm. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class GroupNorm<T> : FusedNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Makes a layer in training mode, with weight 1 and bias 0.</summary>
    /// <param name="numGroups">G, the number of groups that the channels fall into.</param>
    /// <param name="numChannels">C, the number of channels: a multiple of numGroups.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="affine">Whether there are a weight and a bias.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">numGroups or numChannels is below 1, or eps is negative or NaN.</exception>
    /// <exception cref="ArgumentException">numChannels is not a multiple of numGroups.</exception>
    public GroupNorm(int numGroups, int numChannels, double eps = 1e-5, bool affine = true)
    {
        Guard.ParameterType<T>();
        Guard.Positive(numGroups, nameof(numGroups));
        Guard.Positive(numChannels, nameof(numChannels));
        Guard.Eps(eps, nameof(eps));
        if (numChannels % numGroups != 0)
        {
            throw new ArgumentException(
                $"numChannels must be divisible by numGroups, got numChannels={numChannels} and numGroups={numGroups}.",
                nameof(numChannels));
        }

        NumGroups = numGroups;
        NumChannels = numChannels;
        Eps = eps;
        if (affine)
        {
            Weight = new Parameter<T>([numChannels], T.One);
            Bias = new Parameter<T>([numChannels], T.Zero);
        }
    }

    /// <summary>G, the number of groups.</summary>
    public int NumGroups { get; }

    /// <summary>C, the number of channels.</summary>
    public int NumChannels { get; }

    /// <summary>What is added to the variance before the square root.</summary>
    public double Eps { get; }

    /// <inheritdoc/>
    public override GroupNorm<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override GroupNorm<T> Eval() => Train(false);

    /// <summary>The layer and its settings, in PyTorch's form; at the end the activation, if there is one.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{LayerName}({NumGroups}, {NumChannels}, eps={Eps:g}, affine={Weight is not null}{ActivationText})");

    private protected override NormGeometry CheckInput(ReadOnlySpan<nint> lengths)
    {
        InputChecks.Channels(lengths, NumChannels);
        NormGeometry geometry = NormGeometry.OfChannels(lengths) with { Groups = NumGroups };
        InputChecks.ValuesPerGroup(geometry, lengths);
        return geometry;
    }

    private protected override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context) =>
        NormCalls.Forward(input, output, geometry, Arguments(NormKernel.GroupStatistics, Eps, Activation), context);

    private protected override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input,
        in ReadOnlyTensorSpan<TData> residual,
        in TensorSpan<TData> output,
        in NormGeometry geometry,
        NormContext<T>? context) =>
        ResidualCalls.Forward(input, residual, output, geometry, Arguments(NormKernel.GroupStatistics, Eps, Activation), context);
}
