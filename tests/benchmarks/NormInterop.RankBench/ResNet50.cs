namespace NormInterop.RankBench;

/// <summary>The BatchNorm layers of ResNet-50 (He et al. 2016): how many have so many channels.</summary>
internal static class ResNet50
{
    /// <summary>
    /// The stem; then stages of 3, 4, 6 and 3 blocks with two layers of w channels and one of 4w, and one of 4w for each shortcut.
    /// </summary>
    public static readonly IReadOnlyList<(int Channels, int Layers)> Norms =
        [(64, 1 + 6), (128, 8), (256, 4 + 12), (512, 5 + 6), (1024, 7), (2048, 4)];

    /// <summary>Assumed: 8 images of 4.1e9 multiply-adds, thrice for forward and backward, at 1e12 operations a second.</summary>
    public const double ComputeSeconds = 8 * 4.1e9 * 2 * 3 / 1e12;

    public static double Sum(Func<int, double> ofChannels) => Norms.Sum(norm => norm.Layers * ofChannels(norm.Channels));
}
