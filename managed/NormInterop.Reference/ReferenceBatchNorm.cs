using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

/// <summary>
/// BatchNorm (Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167) in plain loops: data and parameters of one type, every sum
/// in double.
/// </summary>
/// <remarks>
/// <para>
/// x, y, dy and dx have shape (N, C, S); everything else has shape (C). A channel's statistics are taken over its n = N * S elements.
/// An empty weight stands for ones, an empty bias for zeros.
/// </para>
/// <para>
/// T is the type of data and parameters, TOut that of outputs and gradients: the same, or double where a test needs results unrounded;
/// both are inferred from the spans passed. Outputs may be the memory of an input (y over x, dx over dy or x), because each element is
/// read before it is written and never after.
/// </para>
/// <para>
/// The loops go channel by channel and plane by plane, the innermost one over consecutive elements of memory. Channels last takes the same
/// loops with planes of one element, which is correct but slow, and no baseline to time anything against.
/// </para>
/// </remarks>
public static partial class ReferenceBatchNorm
{
    /// <summary>
    /// Normalizes with the statistics of the batch: y = (x - mean) * invstd * weight + bias, where mean = sum(x) / n,
    /// var = sum((x - mean)^2) / n and invstd = 1 / sqrt(var + eps), or 0 where var + eps is 0.
    /// </summary>
    /// <remarks>
    /// The running buffers take running = (1 - momentum) * running + momentum * batch, with the unbiased variance
    /// sum((x - mean)^2) / (n - 1).
    /// With N = 0 they keep their values, and the saved statistics are 0.
    /// </remarks>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="x">Input, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="bias">beta, (C), or empty.</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="momentum">Share of the batch in the running buffers; any value. A cumulative average is 1 / number of batches.</param>
    /// <param name="runningMean">Updated in place, (C), or empty when not tracked.</param>
    /// <param name="runningVar">Updated in place, (C), or empty when not tracked.</param>
    /// <param name="savedMean">Receives mean, (C), for the backward pass.</param>
    /// <param name="savedInvstd">Receives invstd, (C), for the backward pass.</param>
    /// <param name="y">Output, (N, C, S).</param>
    /// <exception cref="ArgumentException">A span has the wrong length, eps is negative or NaN, or n is 1.</exception>
    public static void ForwardTraining<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double eps, double momentum,
        Span<T> runningMean, Span<T> runningVar, Span<double> savedMean, Span<double> savedInvstd, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireForward(shape, x.Length, weight.Length, bias.Length, eps, y.Length);
        Require.LengthOrEmpty(runningMean.Length, shape.Channels, nameof(runningMean));
        Require.LengthOrEmpty(runningVar.Length, shape.Channels, nameof(runningVar));
        Require.Length(savedMean.Length, shape.Channels, nameof(savedMean));
        Require.Length(savedInvstd.Length, shape.Channels, nameof(savedInvstd));
        RequireSeveralPerChannel(shape);

        shape = WithConsecutivePlanes(shape);
        int n = shape.CountPerChannel;
        if (n == 0)
        {
            savedMean.Clear();
            savedInvstd.Clear();
            return;
        }

        for (int c = 0; c < shape.Channels; c++)
        {
            double mean = Sum(shape, c, x) / n;
            double squares = SumOfSquaredDeviations(shape, c, x, mean);
            double invstd = InverseStd(squares / n, eps);

            savedMean[c] = mean;
            savedInvstd[c] = invstd;
            if (!runningMean.IsEmpty)
                runningMean[c] = T.CreateTruncating(((1 - momentum) * Double(runningMean[c])) + (momentum * mean));
            if (!runningVar.IsEmpty)
                runningVar[c] = T.CreateTruncating(((1 - momentum) * Double(runningVar[c])) + (momentum * (squares / (n - 1))));

            Normalize(shape, c, x, mean, invstd * ValueOr(weight, c, 1), ValueOr(bias, c, 0), y);
        }
    }

    /// <summary>
    /// Normalizes with given statistics, as a trained network does: y = (x - mean) / sqrt(var + eps) * weight + bias. Where var + eps is 0,
    /// y is bias.
    /// </summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="x">Input, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="bias">beta, (C), or empty.</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="mean">Running mean, (C).</param>
    /// <param name="var">Running variance, (C).</param>
    /// <param name="y">Output, (N, C, S).</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void ForwardInference<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double eps,
        ReadOnlySpan<T> mean, ReadOnlySpan<T> var, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireForward(shape, x.Length, weight.Length, bias.Length, eps, y.Length);
        Require.Length(mean.Length, shape.Channels, nameof(mean));
        Require.Length(var.Length, shape.Channels, nameof(var));

        shape = WithConsecutivePlanes(shape);
        for (int c = 0; c < shape.Channels; c++)
            Normalize(shape, c, x, Double(mean[c]), InverseStd(Double(var[c]), eps) * ValueOr(weight, c, 1), ValueOr(bias, c, 0), y);
    }

    private static double Sum<T>(ChannelTensorShape shape, int c, ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int n = 0; n < shape.Batch; n++)
        {
            foreach (T value in Plane(shape, x, n, c))
                sum += Double(value);
        }

        return sum;
    }

    private static double SumOfSquaredDeviations<T>(ChannelTensorShape shape, int c, ReadOnlySpan<T> x, double mean)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int n = 0; n < shape.Batch; n++)
        {
            foreach (T value in Plane(shape, x, n, c))
            {
                double deviation = Double(value) - mean;
                sum += deviation * deviation;
            }
        }

        return sum;
    }

    private static void Normalize<T, TOut>(
        ChannelTensorShape shape, int c, ReadOnlySpan<T> x, double mean, double scale, double bias, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        for (int n = 0; n < shape.Batch; n++)
        {
            ReadOnlySpan<T> xPlane = Plane(shape, x, n, c);
            Span<TOut> yPlane = Plane(shape, y, n, c);
            for (int i = 0; i < xPlane.Length; i++)
                yPlane[i] = TOut.CreateTruncating(((Double(xPlane[i]) - mean) * scale) + bias);
        }
    }

    // Batch and spatial dimensions mean the same to BatchNorm, and memory order N, S, C is memory order N, C, S with every element of a
    // plane counted as a sample of its own.
    private static ChannelTensorShape WithConsecutivePlanes(ChannelTensorShape shape) =>
        shape.ChannelsLast ? new ChannelTensorShape(shape.CountPerChannel, shape.Channels, 1) : shape;

    private static ReadOnlySpan<T> Plane<T>(ChannelTensorShape shape, ReadOnlySpan<T> tensor, int n, int c) =>
        tensor.Slice(shape.Index(n, c, 0), shape.Spatial);

    private static Span<T> Plane<T>(ChannelTensorShape shape, Span<T> tensor, int n, int c) =>
        tensor.Slice(shape.Index(n, c, 0), shape.Spatial);

    private static void RequireForward(ChannelTensorShape shape, int x, int weight, int bias, double eps, int y)
    {
        Require.Shape(shape);
        Require.Length(x, shape.Count, nameof(x));
        Require.LengthOrEmpty(weight, shape.Channels, nameof(weight));
        Require.LengthOrEmpty(bias, shape.Channels, nameof(bias));
        Require.Epsilon(eps);
        Require.Length(y, shape.Count, nameof(y));
    }

    private static void RequireSeveralPerChannel(ChannelTensorShape shape)
    {
        if (shape.CountPerChannel == 1)
        {
            throw new ArgumentException(
                $"Expected more than 1 value per channel when training, got input size [{shape.Batch}, {shape.Channels}, {shape.Spatial}].",
                nameof(shape));
        }
    }
}
