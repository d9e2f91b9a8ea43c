using System.Numerics.Tensors;
using NormInterop.Samples.Digits;

namespace NormInterop.Samples.DataParallel;

/// <summary>A rank's copy of the network: hidden layers of a dense layer, a BatchNorm and ReLU, then a dense layer.</summary>
internal sealed class Replica
{
    private readonly HiddenBlock[] _blocks;
    private readonly BatchNorm<float>[] _norms;
    private readonly DenseLayer _output;
    private readonly float[] _gradients;

    /// <summary>Makes the copy. The same seed gives all ranks the same weights, so that none has to be sent.</summary>
    /// <param name="options">How many layers, and how wide.</param>
    /// <param name="group">The ranks that share their statistics; null for a BatchNorm of this rank alone.</param>
    /// <param name="seed">The seed of the weights.</param>
    public Replica(Options options, ICollective? group, int seed)
    {
        Random random = new(seed);
        _norms = new BatchNorm<float>[options.Layers];
        _blocks = new HiddenBlock[options.Layers];
        for (int i = 0; i < options.Layers; i++)
        {
            // This is the whole difference between the two trainings.
            _norms[i] = group is null ? new BatchNorm1d<float>(options.Hidden) : new SyncBatchNorm<float>(options.Hidden, group);
            _blocks[i] = new HiddenBlock(i == 0 ? DigitSet.PixelsPerImage : options.Hidden, options.Hidden, _norms[i], random);
        }

        _output = new DenseLayer(options.Hidden, DigitSet.Classes, random);
        int count = 0;
        ForEachParameter((value, _) => count += value.Length);
        _gradients = new float[count];
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

    /// <summary>
    /// Replaces the gradients by their averages over the ranks, those of all parameters in one operation: what an operation costs is mostly
    /// that there is one.
    /// </summary>
    public void AverageGradients(ICollective group)
    {
        int start = 0;
        ForEachParameter((_, gradient) => gradient.CopyTo(_gradients.AsSpan(Advance(ref start, gradient.Length), gradient.Length)));
        group.AllReduce(_gradients, "average of the gradients");
        TensorPrimitives.Divide(_gradients, group.WorldSize, _gradients);
        start = 0;
        ForEachParameter((_, gradient) => _gradients.AsSpan(Advance(ref start, gradient.Length), gradient.Length).CopyTo(gradient));
    }

    /// <summary>One step of gradient descent. Equal weights and equal gradients stay equal weights.</summary>
    public void Step(float learningRate)
    {
        _output.Step(learningRate);
        foreach (HiddenBlock block in _blocks)
            block.Step(learningRate);
    }

    /// <summary>The share of images that are read right, by the running buffers; sends nothing.</summary>
    public double Accuracy(DigitSet set)
    {
        Array.ForEach(_norms, norm => norm.Eval());
        ReadOnlySpan<float> logits = Forward(set.AllImages()).Elements();
        Array.ForEach(_norms, norm => norm.Train());
        int correct = 0;
        for (int i = 0; i < set.Count; i++)
            correct += TensorPrimitives.IndexOfMax(logits.Slice(i * DigitSet.Classes, DigitSet.Classes)) == set.Labels[i] ? 1 : 0;
        return (double)correct / set.Count;
    }

    /// <summary>All parameters, one after the other.</summary>
    public float[] Parameters()
    {
        List<float> all = [];
        ForEachParameter((value, _) => all.AddRange(value));
        return [.. all];
    }

    /// <summary>All running means and variances, one after the other.</summary>
    public float[] RunningBuffers() => [.. _norms.SelectMany(norm => (float[])[.. norm.RunningMean!, .. norm.RunningVar!])];

    private void ForEachParameter(ParameterAction action)
    {
        foreach (HiddenBlock block in _blocks)
            block.ForEachParameter(action);
        _output.ForEachParameter(action);
    }

    private static int Advance(ref int position, int length)
    {
        int start = position;
        position += length;
        return start;
    }
}
