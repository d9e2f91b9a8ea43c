using System.Numerics;

namespace NormInterop;

/// <summary>Instance normalization of sequences (N, C, L), or of a single sample (C, L). As torch.nn.InstanceNorm1d.</summary>
/// <inheritdoc cref="InstanceNorm{T}" path="/remarks"/>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public sealed class InstanceNorm1d<T> : InstanceNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Makes a layer in training mode. Weight is 1, bias 0, running mean 0 and running variance 1, where there are any.</summary>
    /// <param name="numFeatures">C, the number of channels.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="momentum">Weight of the new statistics in the running buffers.</param>
    /// <param name="affine">Whether there are a weight and a bias.</param>
    /// <param name="trackRunningStats">Whether there are running buffers.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">numFeatures is below 1, or eps is negative or NaN.</exception>
    public InstanceNorm1d(int numFeatures, double eps = 1e-5, double momentum = 0.1, bool affine = false, bool trackRunningStats = false)
        : base(numFeatures, eps, momentum, affine, trackRunningStats)
    {
    }

    /// <inheritdoc/>
    public override InstanceNorm1d<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override InstanceNorm1d<T> Eval() => Train(false);

    private protected override int BatchedRank => 3;
}
