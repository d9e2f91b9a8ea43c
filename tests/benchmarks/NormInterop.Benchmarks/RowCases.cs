using NormInterop.Reference;

namespace NormInterop.Benchmarks;

/// <summary>LayerNorm over the last of rows,length.</summary>
internal sealed class LayerNormCase : NormCase
{
    private readonly int _length;

    public LayerNormCase(int[] lengths, Pass pass, int calls)
        : base(lengths, pass, calls, new LayerNorm<float>([lengths[1]], Eps), lengths[1], lengths[0])
    {
        _length = lengths[1];
        ReferenceForward();
    }

    protected override void ReferenceForward() => ReferenceLayerNorm.Forward(
        _length, X, Weight, Bias, Eps, SavedMean, SavedInvstd, Result);

    protected override void ReferenceBackward() => ReferenceLayerNorm.Backward(
        _length, OutputGradient, X, Weight, SavedMean, SavedInvstd, Result, WeightGradient, BiasGradient);
}

/// <summary>RMSNorm over the last of rows,length.</summary>
internal sealed class RmsNormCase : NormCase
{
    private readonly int _length;

    public RmsNormCase(int[] lengths, Pass pass, int calls)
        : base(lengths, pass, calls, new RMSNorm<float>([lengths[1]], Eps), lengths[1], lengths[0])
    {
        _length = lengths[1];
        ReferenceForward();
    }

    protected override void ReferenceForward() => ReferenceRmsNorm.Forward(_length, X, Weight, Eps, SavedInvstd, Result);

    protected override void ReferenceBackward() => ReferenceRmsNorm.Backward(
        _length, OutputGradient, X, Weight, SavedInvstd, Result, WeightGradient);
}
