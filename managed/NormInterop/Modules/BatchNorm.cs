using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Batch normalization (Ioffe and Szegedy 2015): every channel is normalized over the batch and all positions,
/// y = (x - mean) / sqrt(var + eps) * weight + bias.
/// </summary>
/// <remarks>
/// <para>In training, mean and (biased) variance are those of the batch, and the running buffers take them up:
/// running = (1 - momentum) * running + momentum * batch, with the unbiased variance. In evaluation they are the running buffers,
/// or still the batch's where none are tracked.</para>
/// <para>Behaves as torch.nn.BatchNorm1d, 2d and 3d. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public abstract class BatchNorm<T> : RunningNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected BatchNorm(int numFeatures, double eps, double? momentum, bool affine, bool trackRunningStats)
        : base(numFeatures, eps, affine, trackRunningStats) => Momentum = momentum;

    /// <summary>A layer with the parameters, buffers and settings of another one.</summary>
    private protected BatchNorm(BatchNorm<T> other)
        : base(other) => Momentum = other.Momentum;

    /// <summary>Weight of the new batch in the running buffers; null for the average of all batches so far.</summary>
    public double? Momentum { get; }

    /// <summary>The layer and its settings, in PyTorch's form; at the end the activation, if there is one.</summary>
    public override string ToString() => Describe(Momentum);

    private protected sealed override NormGeometry CheckInput(ReadOnlySpan<nint> lengths)
    {
        CheckRank(lengths);
        InputChecks.ChannelCount(lengths, 1, NumFeatures);
        NormGeometry geometry = NormGeometry.OfChannels(lengths);
        InputChecks.ValuesPerChannel(geometry, lengths, least: ReadsRunning || Sync is not null ? 1 : 2);
        return geometry;
    }

    private protected sealed override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context)
    {
        long batches = BatchesAfterForward;
        NormCalls.Forward(input, output, geometry, ArgumentsOf(batches), context);
        NumBatchesTracked = batches;
    }

    private protected sealed override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input,
        in ReadOnlyTensorSpan<TData> residual,
        in TensorSpan<TData> output,
        in NormGeometry geometry,
        NormContext<T>? context)
    {
        long batches = BatchesAfterForward;
        ResidualCalls.Forward(input, residual, output, geometry, ArgumentsOf(batches), context);
        NumBatchesTracked = batches;
    }

    /// <summary>What merges the statistics of all ranks in the next forward; null where those of the input are meant.</summary>
    private protected virtual BatchSync? Sync => null;

    private long BatchesAfterForward => NumBatchesTracked + (IsTraining && RunningMean is not null ? 1 : 0);

    /// <summary>The arguments of a forward after which so many batches have been tracked.</summary>
    private NormArguments<T> ArgumentsOf(long batches)
    {
        BatchSync? sync = Sync;
        NormKernel kernel = sync is null ? NormKernel.BatchStatistics : NormKernel.SyncStatistics;
        return RunningArguments(kernel, Momentum ?? 1.0 / Math.Max(batches, 1)) with { Sync = sync };
    }
}
