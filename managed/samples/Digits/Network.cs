using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>The perceptron 64-128-128-10. Two networks with the same seed start from the same dense weights.</summary>
internal sealed class Network
{
    public const int Hidden = 128;

    private readonly HiddenBlock[] _blocks;
    private readonly DenseLayer _output;

    public Network(Normalization normalization, int seed)
    {
        // Normalizations start at weight 1 and bias 0 and draw nothing, so that all kinds of network draw the same numbers.
        Random random = new(seed);
        Normalization = normalization;
        _blocks =
        [
            new HiddenBlock(DigitSet.PixelsPerImage, Hidden, normalization.Create(Hidden), random),
            new HiddenBlock(Hidden, Hidden, normalization.Create(Hidden), random),
        ];
        _output = new DenseLayer(Hidden, DigitSet.Classes, random);
    }

    public Normalization Normalization { get; }

    /// <summary>The normalization layers, from input to output; none if the network was built without.</summary>
    public IEnumerable<NormModule<float>> NormalizationLayers =>
        _blocks.Select(block => block.Normalization).OfType<NormModule<float>>();

    /// <summary>Time spent inside the normalization layers while training.</summary>
    public TimeSpan NormalizationTime => _blocks.Aggregate(TimeSpan.Zero, (sum, block) => sum + block.NormalizationTime);

    /// <summary>BatchNorm1d: normalize by the statistics of each batch, and let the running buffers follow them.</summary>
    public void Train()
    {
        foreach (NormModule<float> layer in NormalizationLayers)
            layer.Train();
    }

    /// <summary>BatchNorm1d: normalize by the running buffers. An image's result no longer depends on the others in its batch.</summary>
    public void Eval()
    {
        foreach (NormModule<float> layer in NormalizationLayers)
            layer.Eval();
    }

    /// <summary>From images (N, 64) to logits (N, 10).</summary>
    public Tensor<float> Forward(Tensor<float> images)
    {
        Tensor<float> x = images;
        foreach (HiddenBlock block in _blocks)
            x = block.Forward(x);
        return _output.Forward(x);
    }

    public void Backward(Tensor<float> logitsGradient)
    {
        Tensor<float> gradient = _output.Backward(logitsGradient);
        for (int i = _blocks.Length - 1; i >= 0; i--)
            gradient = _blocks[i].Backward(gradient);
    }

    public void Step(float learningRate)
    {
        _output.Step(learningRate);
        foreach (HiddenBlock block in _blocks)
            block.Step(learningRate);
    }

    /// <summary>
    /// Everything that was learnt, under the names that a PyTorch module would give it whose members are called hidden1, norm1, hidden2,
    /// norm2 and output.
    /// </summary>
    public StateDict StateDict()
    {
        StateDict state = new();
        for (int i = 1; i <= _blocks.Length; i++)
            state.Merge(_blocks[i - 1].StateDict($"hidden{i}.", $"norm{i}."));
        return state.Merge(_output.StateDict("output."));
    }

    public void LoadStateDict(StateDict state)
    {
        for (int i = 1; i <= _blocks.Length; i++)
            _blocks[i - 1].LoadStateDict(state, $"hidden{i}.", $"norm{i}.");
        _output.LoadStateDict(state, "output.");
    }
}
