using System.Numerics;

namespace NormInterop;

/// <summary>Batch normalization of images (N, C, H, W). As torch.nn.BatchNorm2d.</summary>
/// <inheritdoc cref="BatchNorm{T}" path="/remarks"/>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class BatchNorm2d<T> : BatchNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Makes a layer in training mode, with weight 1, bias 0, running mean 0 and running variance 1.</summary>
    /// <param name="numFeatures">C, the number of channels.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="momentum">Weight of the new batch in the running buffers; null for the average of all batches so far.</param>
    /// <param name="affine">Whether there are a weight and a bias.</param>
    /// <param name="trackRunningStats">Whether there are running buffers.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">numFeatures is below 1, or eps is negative or NaN.</exception>
    public BatchNorm2d(int numFeatures, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool trackRunningStats = true)
        : base(numFeatures, eps, momentum, affine, trackRunningStats)
    {
    }

    /// <inheritdoc/>
    public override BatchNorm2d<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override BatchNorm2d<T> Eval() => Train(false);

    private protected override string ExpectedRanks => "4D";

    internal override bool IsExpectedRank(int rank) => rank is 4;
}
