using System.Numerics;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Batch normalization over the batches of all ranks of a group, as if they were one: each rank brings its part of the batch, and in
/// training the statistics are those of the whole. As torch.nn.SyncBatchNorm, on the CPU.
/// </summary>
/// <remarks>
/// <para>In training, each forward is a collective operation of the group, and so is its backward: all ranks have to call them in the same
/// order. One message each: a forward gathers every rank's count, means and sums of squared deviations (2C + 1 numbers) and merges
/// them in the order of the ranks, so that mean, variance and running buffers have the same bits everywhere; a backward sums 2C numbers.
/// In evaluation, and in a group of one, nothing is sent, and the layer is a <see cref="BatchNorm{T}"/>.</para>
/// <para>Ranks may have batches of different sizes; one with an empty batch takes part and counts nothing. What is demanded is more than
/// one value per channel over all ranks. Gradients of weight and bias are those of this rank's batch: add or average them over the ranks
/// as all others (<see cref="ICollective.AllReduce(Span{float}, string)"/>).</para>
/// <para>If another rank fails, forward and backward throw a <see cref="CollectiveException"/> within the group's time limit, and running
/// buffers and gradients are as before. Layers of one group have to be made in the same order on every rank: by that order they know each
/// other. One that only some ranks make, for an evaluation, say, gets a group of its own.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class SyncBatchNorm<T> : BatchNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly BatchSync _sync;

    /// <summary>Makes a layer in training mode, with weight 1, bias 0, running mean 0 and running variance 1.</summary>
    /// <param name="numFeatures">C, the number of channels.</param>
    /// <param name="group">The ranks that bring the parts of a batch.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="momentum">Weight of the new batch in the running buffers; null for the average of all batches so far.</param>
    /// <param name="affine">Whether there are a weight and a bias.</param>
    /// <param name="trackRunningStats">Whether there are running buffers.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">numFeatures is below 1, or eps is negative or NaN.</exception>
    public SyncBatchNorm(
        int numFeatures,
        ICollective group,
        double eps = 1e-5,
        double? momentum = 0.1,
        bool affine = true,
        bool trackRunningStats = true)
        : base(numFeatures, eps, momentum, affine, trackRunningStats)
    {
        ArgumentNullException.ThrowIfNull(group);
        Group = group;
        _sync = new BatchSync(group, numFeatures);
    }

    private SyncBatchNorm(BatchNorm<T> layer, ICollective group)
        : base(layer)
    {
        Group = group;
        _sync = new BatchSync(group, layer.NumFeatures);
    }

    /// <summary>
    /// Makes a layer of a BatchNorm: with its settings and its mode, and with the same parameters and running buffers, which both layers
    /// then share. The number of batches so far is copied.
    /// </summary>
    /// <param name="layer">The layer to convert; it should not be used in training any more.</param>
    /// <param name="group">The ranks that bring the parts of a batch.</param>
    public static SyncBatchNorm<T> FromBatchNorm(BatchNorm<T> layer, ICollective group)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(group);
        return new SyncBatchNorm<T>(layer, group);
    }

    /// <summary>The ranks that bring the parts of a batch.</summary>
    public ICollective Group { get; }

    /// <inheritdoc/>
    public override SyncBatchNorm<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override SyncBatchNorm<T> Eval() => Train(false);

    private protected override BatchSync? Sync => IsTraining && Group.WorldSize > 1 ? _sync : null;

    private protected override string ExpectedRanks => "at least 2D";

    internal override bool IsExpectedRank(int rank) => rank >= 2;
}
