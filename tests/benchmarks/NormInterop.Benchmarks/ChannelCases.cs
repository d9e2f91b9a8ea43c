using NormInterop.Reference;

namespace NormInterop.Benchmarks;

/// <summary>BatchNorm2d, over N,C,H,W.</summary>
internal sealed class BatchNormCase : NormCase
{
    private const double Momentum = 0.1;

    private readonly ChannelTensorShape _shape;
    private readonly float[] _runningMean;
    private readonly float[] _runningVar;

    public BatchNormCase(int[] lengths, Pass pass, int calls)
        : base(lengths, pass, calls, new BatchNorm2d<float>(lengths[1], Eps, Momentum), lengths[1], lengths[1])
    {
        _shape = new ChannelTensorShape(lengths[0], lengths[1], lengths[2] * lengths[3]);
        (_runningMean, _runningVar) = (new float[lengths[1]], Filled(lengths[1], 1));
        ReferenceForward();
    }

    protected override void ReferenceForward() => ReferenceBatchNorm.ForwardTraining(
        _shape, X, Weight, Bias, Eps, Momentum, _runningMean, _runningVar, SavedMean, SavedInvstd, Result);

    protected override void ReferenceInference() => ReferenceBatchNorm.ForwardInference(
        _shape, X, Weight, Bias, Eps, _runningMean, _runningVar, Result);

    protected override void ReferenceBackward() => ReferenceBatchNorm.BackwardTraining(
        _shape, OutputGradient, X, Weight, SavedMean, SavedInvstd, Result, WeightGradient, BiasGradient);
}

/// <summary>GroupNorm with 32 groups, over N,C,H,W.</summary>
internal sealed class GroupNormCase : NormCase
{
    private const int Groups = 32;

    private readonly ChannelTensorShape _shape;

    public GroupNormCase(int[] lengths, Pass pass, int calls)
        : base(lengths, pass, calls, new GroupNorm<float>(Groups, lengths[1], Eps), lengths[1], lengths[0] * Groups)
    {
        _shape = new ChannelTensorShape(lengths[0], lengths[1], lengths[2] * lengths[3]);
        ReferenceForward();
    }

    protected override void ReferenceForward() => ReferenceGroupNorm.Forward(
        _shape, Groups, X, Weight, Bias, Eps, SavedMean, SavedInvstd, Result);

    protected override void ReferenceBackward() => ReferenceGroupNorm.Backward(
        _shape, Groups, OutputGradient, X, Weight, SavedMean, SavedInvstd, Result, WeightGradient, BiasGradient);
}

/// <summary>InstanceNorm2d with weight and bias, without running buffers, over N,C,H,W.</summary>
internal sealed class InstanceNormCase : NormCase
{
    private readonly ChannelTensorShape _shape;

    public InstanceNormCase(int[] lengths, Pass pass, int calls)
        : base(lengths, pass, calls, new InstanceNorm2d<float>(lengths[1], Eps, affine: true), lengths[1], lengths[0] * lengths[1])
    {
        _shape = new ChannelTensorShape(lengths[0], lengths[1], lengths[2] * lengths[3]);
        ReferenceForward();
    }

    protected override void ReferenceForward() => ReferenceGroupNorm.Forward(
        _shape, _shape.Channels, X, Weight, Bias, Eps, SavedMean, SavedInvstd, Result);

    protected override void ReferenceBackward() => ReferenceGroupNorm.Backward(
        _shape, _shape.Channels, OutputGradient, X, Weight, SavedMean, SavedInvstd, Result, WeightGradient, BiasGradient);
}
