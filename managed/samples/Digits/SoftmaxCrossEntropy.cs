using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>The loss: -log softmax(logits)[label], averaged over the batch.</summary>
/// <remarks>In double, so that the last bit of a platform's exp cannot reach the float results.</remarks>
internal static class SoftmaxCrossEntropy
{
    /// <summary>Returns the loss and its gradient with respect to the logits, (softmax - one-hot) / N.</summary>
    public static (double Loss, Tensor<float> Gradient) Evaluate(Tensor<float> logits, ReadOnlySpan<byte> labels)
    {
        ReadOnlySpan<float> rows = logits.Elements();
        float[] gradient = new float[rows.Length];
        Span<double> probabilities = stackalloc double[DigitSet.Classes];
        double loss = 0;
        for (int n = 0; n < labels.Length; n++)
        {
            int start = n * DigitSet.Classes;
            Softmax(rows.Slice(start, DigitSet.Classes), probabilities);
            loss -= Math.Log(Math.Max(probabilities[labels[n]], double.Epsilon));
            for (int c = 0; c < DigitSet.Classes; c++)
                gradient[start + c] = (float)((probabilities[c] - (c == labels[n] ? 1 : 0)) / labels.Length);
        }

        return (loss / labels.Length, Tensor.Create(gradient, logits.Lengths));
    }

    public static void Softmax(ReadOnlySpan<float> logits, Span<double> probabilities)
    {
        // Subtracting the largest logit changes nothing in the quotient and keeps exp from overflowing.
        double largest = TensorPrimitives.Max(logits);
        double sum = 0;
        for (int c = 0; c < logits.Length; c++)
            sum += probabilities[c] = Math.Exp(logits[c] - largest);
        for (int c = 0; c < logits.Length; c++)
            probabilities[c] /= sum;
    }
}
