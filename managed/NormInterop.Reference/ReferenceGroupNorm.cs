using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

/// <summary>
/// GroupNorm (Wu and He, 2018, https://arxiv.org/abs/1803.08494) in plain loops, every sum in double: each sample's channels fall into
/// G groups of neighbours, and each group is normalized by itself.
/// </summary>
/// <remarks>
/// x, y, dy and dx have shape (N, C, S), the saved statistics (N, G), everything else (C). A group has n = C / G * S elements.
/// Otherwise as in <see cref="ReferenceBatchNorm"/>: an empty weight stands for ones, an empty bias for zeros, T is the type of data and
/// parameters, TOut that of outputs and gradients, and outputs may be the memory of an input.
/// </remarks>
public static class ReferenceGroupNorm
{
    /// <summary>
    /// y = (x - mean) * invstd * weight + bias, where mean = sum(x) / n, var = sum((x - mean)^2) / n and invstd = 1 / sqrt(var + eps), or
    /// 0 where var + eps is 0; sums over a group of one sample, weight and bias by channel.
    /// </summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="groups">G, a divisor of C.</param>
    /// <param name="x">Input, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="bias">beta, (C), or empty.</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="savedMean">Receives mean, (N, G), for the backward pass.</param>
    /// <param name="savedInvstd">Receives invstd, (N, G), for the backward pass.</param>
    /// <param name="y">Output, (N, C, S).</param>
    /// <exception cref="ArgumentException">A span has the wrong length, eps is negative or NaN, or G does not divide C.</exception>
    public static void Forward<T, TOut>(
        ChannelTensorShape shape, int groups, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double eps,
        Span<double> savedMean, Span<double> savedInvstd, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        Require.Shape(shape);
        Require.Groups(groups, shape.Channels);
        Require.Length(x.Length, shape.Count, nameof(x));
        Require.LengthOrEmpty(weight.Length, shape.Channels, nameof(weight));
        Require.LengthOrEmpty(bias.Length, shape.Channels, nameof(bias));
        Require.Epsilon(eps);
        Require.Length(savedMean.Length, shape.Batch * groups, nameof(savedMean));
        Require.Length(savedInvstd.Length, shape.Batch * groups, nameof(savedInvstd));
        Require.Length(y.Length, shape.Count, nameof(y));

        for (int n = 0; n < shape.Batch; n++)
        {
            for (int g = 0; g < groups; g++)
            {
                Group group = new(shape, n, g, groups);
                double mean = Sum(group, x) / group.Count;
                double invstd = InverseStd(SumOfSquaredDeviations(group, x, mean) / group.Count, eps);
                Normalize(group, x, mean, invstd, weight, bias, y);
                savedMean[(n * groups) + g] = mean;
                savedInvstd[(n * groups) + g] = invstd;
            }
        }
    }

    /// <summary>
    /// The gradients of <see cref="Forward"/>. With x^ = (x - mean) * invstd and g = weight * dy: dx = invstd * (g - mean(g) -
    /// x^ * mean(g * x^)), means over a group; dweight = sum(dy * x^) and dbias = sum(dy), sums over N and S.
    /// </summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="groups">G, a divisor of C.</param>
    /// <param name="dy">Gradient of the output, (N, C, S).</param>
    /// <param name="x">Input of the forward pass, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="savedMean">mean as the forward pass saved it, (N, G).</param>
    /// <param name="savedInvstd">invstd as the forward pass saved it, (N, G).</param>
    /// <param name="dx">Receives the gradient of the input, (N, C, S).</param>
    /// <param name="dweight">The gradient of gamma is added to it, (C), or empty when not wanted.</param>
    /// <param name="dbias">The gradient of beta is added to it, (C), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or G does not divide C.</exception>
    public static void Backward<T, TOut>(
        ChannelTensorShape shape, int groups, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight,
        ReadOnlySpan<double> savedMean, ReadOnlySpan<double> savedInvstd, Span<TOut> dx, Span<TOut> dweight, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        Require.Shape(shape);
        Require.Groups(groups, shape.Channels);
        Require.Length(dy.Length, shape.Count, nameof(dy));
        Require.Length(x.Length, shape.Count, nameof(x));
        Require.LengthOrEmpty(weight.Length, shape.Channels, nameof(weight));
        Require.Length(savedMean.Length, shape.Batch * groups, nameof(savedMean));
        Require.Length(savedInvstd.Length, shape.Batch * groups, nameof(savedInvstd));
        Require.Length(dx.Length, shape.Count, nameof(dx));
        Require.LengthOrEmpty(dweight.Length, shape.Channels, nameof(dweight));
        Require.LengthOrEmpty(dbias.Length, shape.Channels, nameof(dbias));

        // Before any group's dx, which may overwrite dy or x.
        ParameterGradients(shape, groups, dy, x, savedMean, savedInvstd, dweight, dbias);
        for (int n = 0; n < shape.Batch; n++)
        {
            for (int g = 0; g < groups; g++)
            {
                double mean = savedMean[(n * groups) + g], invstd = savedInvstd[(n * groups) + g];
                InputGradient(new Group(shape, n, g, groups), dy, x, weight, mean, invstd, dx);
            }
        }
    }

    private static double Sum<T>(Group group, ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int c = group.FirstChannel; c < group.EndChannel; c++)
        {
            int i = group.Start(c);
            for (int s = 0; s < group.Spatial; s++, i += group.Stride)
                sum += Double(x[i]);
        }

        return sum;
    }

    private static double SumOfSquaredDeviations<T>(Group group, ReadOnlySpan<T> x, double mean)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int c = group.FirstChannel; c < group.EndChannel; c++)
        {
            int i = group.Start(c);
            for (int s = 0; s < group.Spatial; s++, i += group.Stride)
            {
                double deviation = Double(x[i]) - mean;
                sum += deviation * deviation;
            }
        }

        return sum;
    }

    private static void Normalize<T, TOut>(
        Group group, ReadOnlySpan<T> x, double mean, double invstd, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        for (int c = group.FirstChannel; c < group.EndChannel; c++)
        {
            double scale = invstd * ValueOr(weight, c, 1), shift = ValueOr(bias, c, 0);
            int i = group.Start(c);
            for (int s = 0; s < group.Spatial; s++, i += group.Stride)
                y[i] = TOut.CreateTruncating(((Double(x[i]) - mean) * scale) + shift);
        }
    }

    private static void ParameterGradients<T, TOut>(
        ChannelTensorShape shape, int groups, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<double> savedMean,
        ReadOnlySpan<double> savedInvstd, Span<TOut> dweight, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        if (dweight.IsEmpty && dbias.IsEmpty)
            return;
        for (int c = 0; c < shape.Channels; c++)
        {
            double sumDy = 0, sumDyXhat = 0;
            for (int n = 0; n < shape.Batch; n++)
            {
                int saved = (n * groups) + (c / (shape.Channels / groups));
                int i = shape.Index(n, c, 0);
                for (int s = 0; s < shape.Spatial; s++, i += shape.SpatialStride)
                {
                    sumDy += Double(dy[i]);
                    sumDyXhat += Double(dy[i]) * (Double(x[i]) - savedMean[saved]) * savedInvstd[saved];
                }
            }

            Add(dweight, c, sumDyXhat);
            Add(dbias, c, sumDy);
        }
    }

    private static void InputGradient<T, TOut>(
        Group group, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, double mean, double invstd, Span<TOut> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        double sumG = 0, sumGXhat = 0;
        for (int c = group.FirstChannel; c < group.EndChannel; c++)
        {
            double gamma = ValueOr(weight, c, 1);
            int i = group.Start(c);
            for (int s = 0; s < group.Spatial; s++, i += group.Stride)
            {
                double gradient = gamma * Double(dy[i]);
                sumG += gradient;
                sumGXhat += gradient * (Double(x[i]) - mean) * invstd;
            }
        }

        double meanG = sumG / group.Count, meanGXhat = sumGXhat / group.Count;
        for (int c = group.FirstChannel; c < group.EndChannel; c++)
        {
            double gamma = ValueOr(weight, c, 1);
            int i = group.Start(c);
            for (int s = 0; s < group.Spatial; s++, i += group.Stride)
            {
                double xhat = (Double(x[i]) - mean) * invstd;
                dx[i] = TOut.CreateTruncating(invstd * ((gamma * Double(dy[i])) - meanG - (xhat * meanGXhat)));
            }
        }
    }

    // Group g of sample n, and how to walk over it.
    private readonly struct Group(ChannelTensorShape shape, int n, int g, int groups)
    {
        public int FirstChannel => g * shape.Channels / groups;

        public int EndChannel => (g + 1) * shape.Channels / groups;

        public int Spatial => shape.Spatial;

        public int Stride => shape.SpatialStride;

        public int Count => (EndChannel - FirstChannel) * Spatial;

        public int Start(int c) => shape.Index(n, c, 0);
    }
}
