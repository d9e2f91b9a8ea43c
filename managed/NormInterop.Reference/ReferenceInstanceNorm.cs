using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

/// <summary>
/// InstanceNorm (Ulyanov, Vedaldi and Lempitsky, 2016, https://arxiv.org/abs/1607.08022): GroupNorm with one channel per group, and
/// running buffers. Evaluation with running buffers is <see cref="ReferenceBatchNorm.ForwardInference"/>, and so is its backward.
/// </summary>
/// <remarks>Shapes and types as in <see cref="ReferenceGroupNorm"/>; the saved statistics have shape (N, C).</remarks>
public static class ReferenceInstanceNorm
{
    /// <summary>
    /// Normalizes each channel of each sample. The running buffers take running = (1 - momentum) * running + momentum * average, where
    /// average is that over the samples of their means, and of their unbiased variances sum((x - mean)^2) / (S - 1). With N = 0 they
    /// keep their values.
    /// </summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="x">Input, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="bias">beta, (C), or empty.</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="momentum">Share of the batch in the running buffers; any value.</param>
    /// <param name="runningMean">Updated in place, (C), or empty when not tracked.</param>
    /// <param name="runningVar">Updated in place, (C), or empty when not tracked.</param>
    /// <param name="savedMean">Receives mean, (N, C), for the backward pass.</param>
    /// <param name="savedInvstd">Receives invstd, (N, C), for the backward pass.</param>
    /// <param name="y">Output, (N, C, S). Not the memory of x where buffers are tracked: they are updated afterwards.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, eps is negative or NaN, or S is 1.</exception>
    public static void Forward<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double eps, double momentum,
        Span<T> runningMean, Span<T> runningVar, Span<double> savedMean, Span<double> savedInvstd, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        Require.Shape(shape);
        Require.LengthOrEmpty(runningMean.Length, shape.Channels, nameof(runningMean));
        Require.LengthOrEmpty(runningVar.Length, shape.Channels, nameof(runningVar));
        if (shape.Spatial == 1)
        {
            throw new ArgumentException(
                $"Expected more than 1 spatial element, got input size [{shape.Batch}, {shape.Channels}, 1].", nameof(shape));
        }

        ReferenceGroupNorm.Forward(shape, shape.Channels, x, weight, bias, eps, savedMean, savedInvstd, y);
        for (int c = 0; shape.Batch > 0 && c < shape.Channels; c++)
        {
            double sumMean = 0, sumVar = 0;
            for (int n = 0; n < shape.Batch; n++)
            {
                double mean = savedMean[(n * shape.Channels) + c];
                sumMean += mean;
                sumVar += runningVar.IsEmpty ? 0 : UnbiasedVariance(shape, n, c, x, mean);
            }

            if (!runningMean.IsEmpty)
                runningMean[c] = T.CreateTruncating(((1 - momentum) * Double(runningMean[c])) + (momentum * sumMean / shape.Batch));
            if (!runningVar.IsEmpty)
                runningVar[c] = T.CreateTruncating(((1 - momentum) * Double(runningVar[c])) + (momentum * sumVar / shape.Batch));
        }
    }

    /// <summary>The gradients of <see cref="Forward"/>: those of <see cref="ReferenceGroupNorm.Backward"/>, G = C.</summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="dy">Gradient of the output, (N, C, S).</param>
    /// <param name="x">Input of the forward pass, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="savedMean">mean as the forward pass saved it, (N, C).</param>
    /// <param name="savedInvstd">invstd as the forward pass saved it, (N, C).</param>
    /// <param name="dx">Receives the gradient of the input, (N, C, S).</param>
    /// <param name="dweight">The gradient of gamma is added to it, (C), or empty when not wanted.</param>
    /// <param name="dbias">The gradient of beta is added to it, (C), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Backward<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<double> savedMean,
        ReadOnlySpan<double> savedInvstd, Span<TOut> dx, Span<TOut> dweight, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut> =>
        ReferenceGroupNorm.Backward(shape, shape.Channels, dy, x, weight, savedMean, savedInvstd, dx, dweight, dbias);

    private static double UnbiasedVariance<T>(ChannelTensorShape shape, int n, int c, ReadOnlySpan<T> x, double mean)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int s = 0; s < shape.Spatial; s++)
        {
            double deviation = Double(x[shape.Index(n, c, s)]) - mean;
            sum += deviation * deviation;
        }

        return sum / (shape.Spatial - 1);
    }
}
