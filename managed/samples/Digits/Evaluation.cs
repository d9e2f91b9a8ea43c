using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>What a network says to an image, and how sure it is.</summary>
internal readonly record struct Prediction(int Digit, double Probability);

/// <summary>Predictions for every image of a set, made in eval mode.</summary>
internal sealed class Evaluation
{
    private Evaluation(DigitSet set, Prediction[] predictions)
    {
        Predictions = predictions;
        for (int i = 0; i < predictions.Length; i++)
            Correct += predictions[i].Digit == set.Labels[i] ? 1 : 0;
    }

    public IReadOnlyList<Prediction> Predictions { get; }

    public int Correct { get; }

    public double Accuracy => (double)Correct / Predictions.Count;

    /// <summary>All images in one batch.</summary>
    public static Evaluation Batched(Network network, DigitSet set)
    {
        network.Eval();
        ReadOnlySpan<float> logits = network.Forward(set.AllImages()).Elements();
        Prediction[] predictions = new Prediction[set.Count];
        for (int i = 0; i < predictions.Length; i++)
            predictions[i] = Predict(logits.Slice(i * DigitSet.Classes, DigitSet.Classes));
        return new Evaluation(set, predictions);
    }

    /// <summary>Each image on its own, as a program that recognizes digits would be used.</summary>
    public static Evaluation OneByOne(Network network, DigitSet set)
    {
        network.Eval();
        Prediction[] predictions = new Prediction[set.Count];
        for (int i = 0; i < predictions.Length; i++)
        {
            Tensor<float> image = Tensor.Create(set.Image(i).ToArray(), [1, DigitSet.PixelsPerImage]);
            predictions[i] = Predict(network.Forward(image).Elements());
        }

        return new Evaluation(set, predictions);
    }

    /// <summary>Each image on its own, with the running buffers as they were before training: mean 0, variance 1.</summary>
    public static Evaluation OneByOneWithInitialBuffers(Network network, DigitSet set)
    {
        using StateDict learnt = network.StateDict();
        foreach (BatchNorm1d<float> layer in network.NormalizationLayers.OfType<BatchNorm1d<float>>())
            layer.ResetRunningStats();

        Evaluation evaluation = OneByOne(network, set);
        network.LoadStateDict(learnt);
        return evaluation;
    }

    private static Prediction Predict(ReadOnlySpan<float> logits)
    {
        Span<double> probabilities = stackalloc double[DigitSet.Classes];
        SoftmaxCrossEntropy.Softmax(logits, probabilities);
        int digit = TensorPrimitives.IndexOfMax(logits);
        return new Prediction(digit, probabilities[digit]);
    }
}
