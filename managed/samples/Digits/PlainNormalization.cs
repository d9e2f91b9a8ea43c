using NormInterop.Reference;

namespace NormInterop.Samples.Digits;

/// <summary>A normalization in plain C#, with its parameters and with what Backward needs: to be timed beside the library.</summary>
internal abstract class PlainNormalization(int statistics)
{
    protected const double Eps = 1e-5;

    protected float[] Weight { get; } = [.. Enumerable.Repeat(1f, Network.Hidden)];

    protected float[] Bias { get; } = new float[Network.Hidden];

    protected float[] WeightGradient { get; } = new float[Network.Hidden];

    protected float[] BiasGradient { get; } = new float[Network.Hidden];

    protected double[] SavedMean { get; } = new double[statistics];

    protected double[] SavedInvstd { get; } = new double[statistics];

    public static PlainNormalization Create(Normalization normalization, int batchSize) => normalization switch
    {
        Normalization.Batch => new Batch(batchSize),
        Normalization.Layer => new Layer(batchSize),
        Normalization.Group => new Group(batchSize),
        _ => throw new ArgumentOutOfRangeException(nameof(normalization), normalization, "There is nothing to be timed."),
    };

    public abstract void Forward(ReadOnlySpan<float> x, Span<float> y);

    public abstract void Backward(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx);

    private sealed class Batch(int batchSize) : PlainNormalization(Network.Hidden)
    {
        private const double Momentum = 0.1;

        // With one element per channel and sample both layouts are the same memory; the loops are faster over this one.
        private readonly ChannelTensorShape _shape = new(batchSize, Network.Hidden, 1, channelsLast: true);
        private readonly float[] _runningMean = new float[Network.Hidden];
        private readonly float[] _runningVar = [.. Enumerable.Repeat(1f, Network.Hidden)];

        public override void Forward(ReadOnlySpan<float> x, Span<float> y) => ReferenceBatchNorm.ForwardTraining(
            _shape, x, Weight, Bias, Eps, Momentum, _runningMean, _runningVar, SavedMean, SavedInvstd, y);

        public override void Backward(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx) =>
            ReferenceBatchNorm.BackwardTraining(_shape, dy, x, Weight, SavedMean, SavedInvstd, dx, WeightGradient, BiasGradient);
    }

    private sealed class Layer(int batchSize) : PlainNormalization(batchSize)
    {
        public override void Forward(ReadOnlySpan<float> x, Span<float> y) =>
            ReferenceLayerNorm.Forward(Network.Hidden, x, Weight, Bias, Eps, SavedMean, SavedInvstd, y);

        public override void Backward(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx) => ReferenceLayerNorm.Backward(
            Network.Hidden, dy, x, Weight, SavedMean, SavedInvstd, dx, WeightGradient, BiasGradient);
    }

    private sealed class Group(int batchSize) : PlainNormalization(batchSize * NormalizationExtensions.Groups)
    {
        private readonly ChannelTensorShape _shape = new(batchSize, Network.Hidden, 1);

        public override void Forward(ReadOnlySpan<float> x, Span<float> y) => ReferenceGroupNorm.Forward(
            _shape, NormalizationExtensions.Groups, x, Weight, Bias, Eps, SavedMean, SavedInvstd, y);

        public override void Backward(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx) => ReferenceGroupNorm.Backward(
            _shape, NormalizationExtensions.Groups, dy, x, Weight, SavedMean, SavedInvstd, dx, WeightGradient, BiasGradient);
    }
}
