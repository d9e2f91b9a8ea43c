namespace NormInterop.Tests.Support;

/// <summary>The layers by name, for tests that run over all of them.</summary>
internal static class Layers
{
    internal static readonly string[] Names = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"];

    internal static BatchNorm<float> Make(
        string layer, int numFeatures, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool trackRunningStats = true) =>
        layer switch
        {
            "BatchNorm1d" => new BatchNorm1d<float>(numFeatures, eps, momentum, affine, trackRunningStats),
            "BatchNorm2d" => new BatchNorm2d<float>(numFeatures, eps, momentum, affine, trackRunningStats),
            "BatchNorm3d" => new BatchNorm3d<float>(numFeatures, eps, momentum, affine, trackRunningStats),
            _ => throw new ArgumentOutOfRangeException(nameof(layer), layer, "Expected one of the names."),
        };

    /// <summary>The layer that takes tensors of this rank.</summary>
    internal static string OfRank(int rank) => Names[Math.Max(rank - 3, 0)];

    /// <summary>A layer for this shape with weights, biases and running buffers that are all different from their defaults.</summary>
    internal static BatchNorm<float> Varied(
        int[] shape, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool trackRunningStats = true)
    {
        BatchNorm<float> norm = Make(OfRank(shape.Length), shape[1], eps, momentum, affine, trackRunningStats);
        Values values = new(4711);
        for (int c = 0; c < shape[1]; c++)
        {
            if (affine)
            {
                norm.Weight!.Value[c] = values.Next(offset: 0.5f);
                norm.Bias!.Value[c] = values.Next();
            }

            if (trackRunningStats)
            {
                norm.RunningMean![c] = values.Next();
                norm.RunningVar![c] = 0.5f + Math.Abs(values.Next());
            }
        }

        return norm;
    }
}
