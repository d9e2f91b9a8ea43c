using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>The perceptron 64-128-128-10. Two networks with the same seed start from the same dense weights.</summary>
internal sealed class Network
{
    public const int Classes = 10;
    public const int Hidden = 128;

    private readonly HiddenBlock[] _blocks;
    private readonly DenseLayer _output;

    public Network(bool normalized, int seed)
    {
        // BatchNorm1d starts at weight 1 and bias 0 and draws nothing, so both kinds of network draw the same numbers.
        Random random = new(seed);
        _blocks =
        [
            new HiddenBlock(DigitSet.PixelsPerImage, Hidden, normalized, random),
            new HiddenBlock(Hidden, Hidden, normalized, random),
        ];
        _output = new DenseLayer(Hidden, Classes, random);
    }

    /// <summary>The BatchNorm1d layers, from input to output; none if the network was built without.</summary>
    public IEnumerable<BatchNorm1d<float>> Normalizations => _blocks.Select(block => block.Normalization).OfType<BatchNorm1d<float>>();

    /// <summary>Time spent inside BatchNorm1d while training.</summary>
    public TimeSpan NormalizationTime => _blocks.Aggregate(TimeSpan.Zero, (sum, block) => sum + block.NormalizationTime);

    /// <summary>Normalize by the statistics of each batch, and let the running buffers follow them.</summary>
    public void Train()
    {
        foreach (BatchNorm1d<float> normalization in Normalizations)
            normalization.Train();
    }

    /// <summary>Normalize by the running buffers: an image's result no longer depends on the others in its batch.</summary>
    public void Eval()
    {
        foreach (BatchNorm1d<float> normalization in Normalizations)
            normalization.Eval();
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
}
