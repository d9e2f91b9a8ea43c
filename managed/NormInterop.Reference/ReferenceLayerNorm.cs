using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

/// <summary>
/// LayerNorm (Ba, Kiros and Hinton, 2016, https://arxiv.org/abs/1607.06450) in plain loops, every sum in double: each row is normalized
/// by itself.
/// </summary>
/// <remarks>
/// x, y, dy and dx are rows of D consecutive elements, the saved statistics have one element per row, everything else has D. Otherwise
/// as in <see cref="ReferenceBatchNorm"/>: an empty weight stands for ones, an empty bias for zeros, T is the type of data and parameters,
/// TOut that of outputs and gradients, and outputs may be the memory of an input.
/// </remarks>
public static class ReferenceLayerNorm
{
    /// <summary>
    /// y = (x - mean) * invstd * weight + bias, where mean = sum(x) / D, var = sum((x - mean)^2) / D and invstd = 1 / sqrt(var + eps), or
    /// 0 where var + eps is 0.
    /// </summary>
    /// <param name="length">D, the number of elements in a row.</param>
    /// <param name="x">Input: rows.</param>
    /// <param name="weight">gamma, (D), or empty.</param>
    /// <param name="bias">beta, (D), or empty.</param>
    /// <param name="eps">Added to the variance; 0 or greater.</param>
    /// <param name="savedMean">Receives mean, one element per row, for the backward pass.</param>
    /// <param name="savedInvstd">Receives invstd, one element per row, for the backward pass.</param>
    /// <param name="y">Output: rows.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void Forward<T, TOut>(
        int length, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double eps, Span<double> savedMean,
        Span<double> savedInvstd, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        int rows = Require.Rows(x.Length, length);
        Require.LengthOrEmpty(weight.Length, length, nameof(weight));
        Require.LengthOrEmpty(bias.Length, length, nameof(bias));
        Require.Epsilon(eps);
        Require.Length(savedMean.Length, rows, nameof(savedMean));
        Require.Length(savedInvstd.Length, rows, nameof(savedInvstd));
        Require.Length(y.Length, x.Length, nameof(y));

        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<T> xRow = x.Slice(row * length, length);
            Span<TOut> yRow = y.Slice(row * length, length);

            double sum = 0;
            foreach (T value in xRow)
                sum += Double(value);
            double mean = sum / length;

            double squares = 0;
            foreach (T value in xRow)
                squares += (Double(value) - mean) * (Double(value) - mean);
            double invstd = InverseStd(squares / length, eps);

            for (int i = 0; i < length; i++)
                yRow[i] = TOut.CreateTruncating(((Double(xRow[i]) - mean) * invstd * ValueOr(weight, i, 1)) + ValueOr(bias, i, 0));

            savedMean[row] = mean;
            savedInvstd[row] = invstd;
        }
    }

    /// <summary>
    /// The gradients of <see cref="Forward"/>. With x^ = (x - mean) * invstd and g = weight * dy: dx = invstd * (g - mean(g) -
    /// x^ * mean(g * x^)), means over a row; dweight = sum(dy * x^) and dbias = sum(dy), sums over the rows.
    /// </summary>
    /// <param name="length">D, the number of elements in a row.</param>
    /// <param name="dy">Gradient of the output: rows.</param>
    /// <param name="x">Input of the forward pass: rows.</param>
    /// <param name="weight">gamma, (D), or empty.</param>
    /// <param name="savedMean">mean as the forward pass saved it, one element per row.</param>
    /// <param name="savedInvstd">invstd as the forward pass saved it, one element per row.</param>
    /// <param name="dx">Receives the gradient of the input: rows.</param>
    /// <param name="dweight">The gradient of gamma is added to it, (D), or empty when not wanted.</param>
    /// <param name="dbias">The gradient of beta is added to it, (D), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Backward<T, TOut>(
        int length, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<double> savedMean,
        ReadOnlySpan<double> savedInvstd, Span<TOut> dx, Span<TOut> dweight, Span<TOut> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        int rows = Require.Rows(x.Length, length);
        Require.Length(dy.Length, x.Length, nameof(dy));
        Require.LengthOrEmpty(weight.Length, length, nameof(weight));
        Require.Length(savedMean.Length, rows, nameof(savedMean));
        Require.Length(savedInvstd.Length, rows, nameof(savedInvstd));
        Require.Length(dx.Length, x.Length, nameof(dx));
        Require.LengthOrEmpty(dweight.Length, length, nameof(dweight));
        Require.LengthOrEmpty(dbias.Length, length, nameof(dbias));

        // In double until the last row: rounded after each, sums over many rows would carry the rounding of every one.
        double[] sumDyXhat = new double[length], sumDy = new double[length];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<T> dyRow = dy.Slice(row * length, length), xRow = x.Slice(row * length, length);
            Span<TOut> dxRow = dx.Slice(row * length, length);
            double mean = savedMean[row], invstd = savedInvstd[row], sumG = 0, sumGXhat = 0;
            for (int i = 0; i < length; i++)
            {
                double xhat = (Double(xRow[i]) - mean) * invstd, g = ValueOr(weight, i, 1) * Double(dyRow[i]);
                sumG += g;
                sumGXhat += g * xhat;
                sumDyXhat[i] += Double(dyRow[i]) * xhat;
                sumDy[i] += Double(dyRow[i]);
            }

            for (int i = 0; i < length; i++)
            {
                double xhat = (Double(xRow[i]) - mean) * invstd, g = ValueOr(weight, i, 1) * Double(dyRow[i]);
                dxRow[i] = TOut.CreateTruncating(invstd * (g - (sumG / length) - (xhat * sumGXhat / length)));
            }
        }

        for (int i = 0; i < length; i++)
        {
            Add(dweight, i, sumDyXhat[i]);
            Add(dbias, i, sumDy[i]);
        }
    }
}
