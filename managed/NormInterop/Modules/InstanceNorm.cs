using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016): every channel of every sample is normalized over its positions,
/// y = (x - mean) / sqrt(var + eps) * weight + bias.
/// </summary>
/// <remarks>
/// <para>Mean and (biased) variance are those of the input, in training and in evaluation, unless running buffers are tracked: those
/// take up, in training, the average over the samples of mean and unbiased variance, running = (1 - momentum) * running + momentum *
/// average, and are used in evaluation, which then is that of <see cref="BatchNorm{T}"/>.</para>
/// <para>An input without the dimension of the samples is normalized as a single sample. Without weight and bias and without
/// running buffers, any number of channels is taken; otherwise numFeatures.</para>
/// <para>Behaves as torch.nn.InstanceNorm1d, 2d and 3d. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public abstract class InstanceNorm<T> : RunningNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected InstanceNorm(int numFeatures, double eps, double momentum, bool affine, bool trackRunningStats)
        : base(numFeatures, eps, affine, trackRunningStats) => Momentum = momentum;

    /// <summary>Weight of the new statistics in the running buffers.</summary>
    public double Momentum { get; }

    /// <summary>The layer and its settings, in PyTorch's form; at the end the activation, if there is one.</summary>
    public override string ToString() => Describe(Momentum);

    /// <summary>The rank of an input with samples; one less is an input without.</summary>
    private protected abstract int BatchedRank { get; }

    private protected sealed override string ExpectedRanks => $"{BatchedRank - 1}D or {BatchedRank}D";

    internal sealed override bool IsExpectedRank(int rank) => rank == BatchedRank || rank == BatchedRank - 1;

    private protected sealed override NormGeometry CheckInput(ReadOnlySpan<nint> lengths)
    {
        CheckRank(lengths);
        int axis = lengths.Length == BatchedRank ? 1 : 0;
        if (Weight is not null || RunningMean is not null)
            InputChecks.ChannelCount(lengths, axis, NumFeatures);
        else
            InputChecks.ChannelCount(lengths, axis);
        NormGeometry geometry = NormGeometry.OfChannels(lengths, axis);
        InputChecks.SpatialElements(geometry, lengths, fromInput: !ReadsRunning);
        return geometry;
    }

    private protected sealed override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context) =>
        NormCalls.Forward(input, output, geometry, RunningArguments(NormKernel.InstanceStatistics, Momentum), context);

    private protected sealed override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input,
        in ReadOnlyTensorSpan<TData> residual,
        in TensorSpan<TData> output,
        in NormGeometry geometry,
        NormContext<T>? context) =>
        ResidualCalls.Forward(input, residual, output, geometry, RunningArguments(NormKernel.InstanceStatistics, Momentum), context);
}
