using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

public static partial class ReferenceBatchNorm
{
    /// <summary>
    /// The gradients of <see cref="ForwardTraining"/>, where mean and invstd depend on x. With x^ = (x - mean) * invstd:
    /// dbias = sum(dy), dweight = sum(dy * x^), dx = weight * invstd * (dy - dbias / n - x^ * dweight / n).
    /// </summary>
    /// <remarks>The formulas are those of section 3 of https://arxiv.org/abs/1502.03167, with the sums collected.</remarks>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="dy">Gradient of the output, (N, C, S).</param>
    /// <param name="x">Input of the forward pass, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="savedMean">mean as the forward pass saved it, (C).</param>
    /// <param name="savedInvstd">invstd as the forward pass saved it, (C).</param>
    /// <param name="dx">Receives the gradient of the input, (N, C, S).</param>
    /// <param name="dweight">The gradient of gamma is added to it, (C), or empty when not wanted.</param>
    /// <param name="dbias">The gradient of beta is added to it, (C), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void BackwardTraining<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight,
        ReadOnlySpan<double> savedMean, ReadOnlySpan<double> savedInvstd, Span<TOut> dx, Span<TOut> dweight, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireBackward(shape, dy.Length, x.Length, weight.Length, dx.Length, dweight.Length, dbias.Length);
        Require.Length(savedMean.Length, shape.Channels, nameof(savedMean));
        Require.Length(savedInvstd.Length, shape.Channels, nameof(savedInvstd));

        shape = WithConsecutivePlanes(shape);
        int n = shape.CountPerChannel;
        for (int c = 0; n > 0 && c < shape.Channels; c++)
        {
            double mean = savedMean[c];
            double invstd = savedInvstd[c];
            double sumDy = Sum(shape, c, dy);
            double sumDyXhat = SumOfProducts(shape, c, dy, x, mean) * invstd;
            Add(dweight, c, sumDyXhat);
            Add(dbias, c, sumDy);

            double scale = ValueOr(weight, c, 1) * invstd;
            InputGradient(shape, c, dy, x, mean, scale, sumDy / n, invstd * sumDyXhat / n, dx);
        }
    }

    /// <summary>
    /// The gradients of <see cref="ForwardInference"/>, where mean and var are constants. With invstd = 1 / sqrt(var + eps), or 0 where
    /// var + eps is 0, and x^ = (x - mean) * invstd: dbias = sum(dy), dweight = sum(dy * x^), dx = weight * invstd * dy.
    /// </summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="dy">Gradient of the output, (N, C, S).</param>
    /// <param name="x">Input of the forward pass, (N, C, S).</param>
    /// <param name="weight">gamma, (C), or empty.</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="mean">Running mean, (C).</param>
    /// <param name="var">Running variance, (C).</param>
    /// <param name="dx">Receives the gradient of the input, (N, C, S).</param>
    /// <param name="dweight">The gradient of gamma is added to it, (C), or empty when not wanted.</param>
    /// <param name="dbias">The gradient of beta is added to it, (C), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void BackwardInference<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, double eps,
        ReadOnlySpan<T> mean, ReadOnlySpan<T> var, Span<TOut> dx, Span<TOut> dweight, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireBackward(shape, dy.Length, x.Length, weight.Length, dx.Length, dweight.Length, dbias.Length);
        Require.Epsilon(eps);
        Require.Length(mean.Length, shape.Channels, nameof(mean));
        Require.Length(var.Length, shape.Channels, nameof(var));

        shape = WithConsecutivePlanes(shape);
        for (int c = 0; c < shape.Channels; c++)
        {
            double invstd = InverseStd(Double(var[c]), eps);

            // dx needs neither sum, so each costs a pass over memory only where it is asked for.
            if (!dweight.IsEmpty)
                Add(dweight, c, SumOfProducts(shape, c, dy, x, Double(mean[c])) * invstd);
            if (!dbias.IsEmpty)
                Add(dbias, c, Sum(shape, c, dy));

            Scale(shape, c, dy, ValueOr(weight, c, 1) * invstd, dx);
        }
    }

    // sum(dy * (x - mean))
    private static double SumOfProducts<T>(ChannelTensorShape shape, int c, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, double mean)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (int n = 0; n < shape.Batch; n++)
        {
            ReadOnlySpan<T> dyPlane = Plane(shape, dy, n, c);
            ReadOnlySpan<T> xPlane = Plane(shape, x, n, c);
            for (int i = 0; i < dyPlane.Length; i++)
                sum += Double(dyPlane[i]) * (Double(xPlane[i]) - mean);
        }

        return sum;
    }

    // dx = scale * (dy - meanDy - (x - mean) * slope); slope = invstd * mean(dy * x^) turns x - mean into x^ on the way.
    private static void InputGradient<T, TOut>(
        ChannelTensorShape shape, int c, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, double mean, double scale, double meanDy,
        double slope, Span<TOut> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        for (int n = 0; n < shape.Batch; n++)
        {
            ReadOnlySpan<T> dyPlane = Plane(shape, dy, n, c);
            ReadOnlySpan<T> xPlane = Plane(shape, x, n, c);
            Span<TOut> dxPlane = Plane(shape, dx, n, c);
            for (int i = 0; i < dyPlane.Length; i++)
                dxPlane[i] = TOut.CreateTruncating(scale * (Double(dyPlane[i]) - meanDy - ((Double(xPlane[i]) - mean) * slope)));
        }
    }

    private static void Scale<T, TOut>(ChannelTensorShape shape, int c, ReadOnlySpan<T> dy, double scale, Span<TOut> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        for (int n = 0; n < shape.Batch; n++)
        {
            ReadOnlySpan<T> dyPlane = Plane(shape, dy, n, c);
            Span<TOut> dxPlane = Plane(shape, dx, n, c);
            for (int i = 0; i < dyPlane.Length; i++)
                dxPlane[i] = TOut.CreateTruncating(scale * Double(dyPlane[i]));
        }
    }

    private static void RequireBackward(ChannelTensorShape shape, int dy, int x, int weight, int dx, int dweight, int dbias)
    {
        Require.Shape(shape);
        Require.Length(dy, shape.Count, nameof(dy));
        Require.Length(x, shape.Count, nameof(x));
        Require.LengthOrEmpty(weight, shape.Channels, nameof(weight));
        Require.Length(dx, shape.Count, nameof(dx));
        Require.LengthOrEmpty(dweight, shape.Channels, nameof(dweight));
        Require.LengthOrEmpty(dbias, shape.Channels, nameof(dbias));
    }
}
