using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

/// <summary>
/// Caffe's pair of layers in plain loops, every sum in double: BatchNorm, which only normalizes and keeps discounted sums in place of
/// running averages, and Scale, which multiplies and adds.
/// </summary>
/// <remarks>
/// Types as in <see cref="ReferenceBatchNorm"/>. The backward of BatchNorm is <see cref="ReferenceBatchNorm.BackwardTraining"/> without a
/// weight, and with global statistics <see cref="BatchNormBackwardGlobal"/>.
/// Sources: src/caffe/layers/batch_norm_layer.cpp and scale_layer.cpp of https://github.com/BVLC/caffe.
/// </remarks>
public static class ReferenceCaffe
{
    /// <summary>
    /// y = (x - mean) * invstd, mean and biased var of the batch per channel over m = N * S elements. The blobs take
    /// factor = f * factor + 1, meanSum = f * meanSum + mean, varSum = f * varSum + var * m / (m - 1), the last factor 1 where m = 1.
    /// With N = 0 nothing happens.
    /// </summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="x">Input, (N, C, S).</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="fraction">f, the moving average fraction.</param>
    /// <param name="meanSum">First blob, (C), updated in place.</param>
    /// <param name="varSum">Second blob, (C), updated in place.</param>
    /// <param name="factor">Third blob, one element, updated in place.</param>
    /// <param name="savedMean">Receives mean, (C), for the backward pass.</param>
    /// <param name="savedInvstd">Receives invstd, (C), for the backward pass.</param>
    /// <param name="y">Output, (N, C, S).</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void BatchNormForwardTraining<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> x, double eps, double fraction, Span<T> meanSum, Span<T> varSum, Span<T> factor,
        Span<double> savedMean, Span<double> savedInvstd, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireBatchNorm(shape, x.Length, eps, meanSum.Length, varSum.Length, factor.Length, y.Length);
        Require.Length(savedMean.Length, shape.Channels, nameof(savedMean));
        Require.Length(savedInvstd.Length, shape.Channels, nameof(savedInvstd));
        int m = shape.CountPerChannel;
        savedMean.Clear();
        savedInvstd.Clear();
        if (m == 0)
            return;

        factor[0] = T.CreateTruncating((fraction * Double(factor[0])) + 1);
        for (int c = 0; c < shape.Channels; c++)
        {
            double sum = 0;
            for (int n = 0; n < shape.Batch; n++)
            {
                for (int s = 0; s < shape.Spatial; s++)
                    sum += Double(x[shape.Index(n, c, s)]);
            }

            double mean = sum / m, squares = 0;
            for (int n = 0; n < shape.Batch; n++)
            {
                for (int s = 0; s < shape.Spatial; s++)
                    squares += Math.Pow(Double(x[shape.Index(n, c, s)]) - mean, 2);
            }

            double var = squares / m;
            savedMean[c] = mean;
            savedInvstd[c] = InverseStd(var, eps);
            meanSum[c] = T.CreateTruncating((fraction * Double(meanSum[c])) + mean);
            varSum[c] = T.CreateTruncating((fraction * Double(varSum[c])) + (var * (m == 1 ? 1 : m / (m - 1.0))));
            Normalize(shape, c, x, mean, savedInvstd[c], y);
        }
    }

    /// <summary>Normalizes with global statistics: mean = meanSum / factor, var = varSum / factor, and both 0 where factor is 0.</summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="x">Input, (N, C, S).</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="meanSum">First blob, (C).</param>
    /// <param name="varSum">Second blob, (C).</param>
    /// <param name="factor">Third blob, one element.</param>
    /// <param name="y">Output, (N, C, S).</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void BatchNormForwardGlobal<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> x, double eps, ReadOnlySpan<T> meanSum, ReadOnlySpan<T> varSum, ReadOnlySpan<T> factor,
        Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireBatchNorm(shape, x.Length, eps, meanSum.Length, varSum.Length, factor.Length, y.Length);
        double perFactor = Double(factor[0]) == 0 ? 0 : 1 / Double(factor[0]);
        for (int c = 0; c < shape.Channels; c++)
            Normalize(shape, c, x, Double(meanSum[c]) * perFactor, InverseStd(Double(varSum[c]) * perFactor, eps), y);
    }

    /// <summary>The gradient of <see cref="BatchNormForwardGlobal"/>, whose statistics are constants: dx = dy * invstd.</summary>
    /// <param name="shape">N, C, S and their order in memory.</param>
    /// <param name="dy">Gradient of the output, (N, C, S).</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="varSum">Second blob, (C).</param>
    /// <param name="factor">Third blob, one element.</param>
    /// <param name="dx">Receives the gradient of the input, (N, C, S).</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void BatchNormBackwardGlobal<T, TOut>(
        ChannelTensorShape shape, ReadOnlySpan<T> dy, double eps, ReadOnlySpan<T> varSum, ReadOnlySpan<T> factor, Span<TOut> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        RequireBatchNorm(shape, dy.Length, eps, varSum.Length, varSum.Length, factor.Length, dx.Length);
        double perFactor = Double(factor[0]) == 0 ? 0 : 1 / Double(factor[0]);
        for (int c = 0; c < shape.Channels; c++)
            Normalize(shape, c, dy, 0, InverseStd(Double(varSum[c]) * perFactor, eps), dx);
    }

    /// <summary>
    /// y = x * scale + bias. The dimensions that scale and bias have stand together in the middle: x is (outer, K, inner), they are (K).
    /// With axis 1 and one dimension that is (N, C, S); a scalar has K = 1.
    /// </summary>
    /// <param name="inner">Number of elements behind the scaled dimensions.</param>
    /// <param name="x">Input, (outer, K, inner), row-major.</param>
    /// <param name="scale">(K), at least one element.</param>
    /// <param name="bias">(K), or empty.</param>
    /// <param name="y">Output, (outer, K, inner), row-major.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void ScaleForward<T, TOut>(
        int inner, ReadOnlySpan<T> x, ReadOnlySpan<T> scale, ReadOnlySpan<T> bias, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        Require.Rows(x.Length, scale.Length * inner);
        Require.LengthOrEmpty(bias.Length, scale.Length, nameof(bias));
        Require.Length(y.Length, x.Length, nameof(y));
        for (int i = 0; i < x.Length; i++)
        {
            int k = i / inner % scale.Length;
            y[i] = TOut.CreateTruncating((Double(x[i]) * Double(scale[k])) + ValueOr(bias, k, 0));
        }
    }

    /// <summary>The gradients of <see cref="ScaleForward"/>: dx = dy * scale, dscale = sum(dy * x), dbias = sum(dy).</summary>
    /// <param name="inner">Number of elements behind the scaled dimensions.</param>
    /// <param name="dy">Gradient of the output, (outer, K, inner), row-major.</param>
    /// <param name="x">Input of the forward pass, (outer, K, inner), row-major.</param>
    /// <param name="scale">(K), at least one element.</param>
    /// <param name="dx">Receives the gradient of the input, (outer, K, inner), row-major.</param>
    /// <param name="dscale">The gradient of the scale is added to it, (K), or empty when not wanted.</param>
    /// <param name="dbias">The gradient of the bias is added to it, (K), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void ScaleBackward<T, TOut>(
        int inner, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> scale, Span<TOut> dx, Span<TOut> dscale, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        Require.Rows(x.Length, scale.Length * inner);
        Require.Length(dy.Length, x.Length, nameof(dy));
        Require.Length(dx.Length, x.Length, nameof(dx));
        Require.LengthOrEmpty(dscale.Length, scale.Length, nameof(dscale));
        Require.LengthOrEmpty(dbias.Length, scale.Length, nameof(dbias));
        double[] sumDyX = new double[scale.Length], sumDy = new double[scale.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int k = i / inner % scale.Length;
            sumDyX[k] += Double(dy[i]) * Double(x[i]);
            sumDy[k] += Double(dy[i]);
            dx[i] = TOut.CreateTruncating(Double(dy[i]) * Double(scale[k]));
        }

        for (int k = 0; k < scale.Length; k++)
        {
            Add(dscale, k, sumDyX[k]);
            Add(dbias, k, sumDy[k]);
        }
    }

    private static void Normalize<T, TOut>(
        ChannelTensorShape shape, int c, ReadOnlySpan<T> x, double mean, double invstd, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        for (int n = 0; n < shape.Batch; n++)
        {
            for (int s = 0; s < shape.Spatial; s++)
            {
                int i = shape.Index(n, c, s);
                y[i] = TOut.CreateTruncating((Double(x[i]) - mean) * invstd);
            }
        }
    }

    private static void RequireBatchNorm(ChannelTensorShape shape, int x, double eps, int meanSum, int varSum, int factor, int y)
    {
        Require.Shape(shape);
        Require.Length(x, shape.Count, nameof(x));
        Require.Epsilon(eps);
        Require.Length(meanSum, shape.Channels, nameof(meanSum));
        Require.Length(varSum, shape.Channels, nameof(varSum));
        Require.Length(factor, 1, nameof(factor));
        Require.Length(y, shape.Count, nameof(y));
    }
}
