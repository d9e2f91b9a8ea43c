using System.Numerics;
using static NormInterop.Reference.Numbers;

namespace NormInterop.Reference;

/// <summary>
/// RMSNorm (Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467) in plain loops, every sum in double: LayerNorm without the mean
/// and without a bias.
/// </summary>
/// <remarks>Shapes and types as in <see cref="ReferenceLayerNorm"/>.</remarks>
public static class ReferenceRmsNorm
{
    /// <summary>y = x * invrms * weight, where invrms = 1 / sqrt(sum(x^2) / D + eps), or 0 where that root is 0.</summary>
    /// <param name="length">D, the number of elements in a row.</param>
    /// <param name="x">Input: rows.</param>
    /// <param name="weight">gamma, (D), or empty.</param>
    /// <param name="eps">Added to the mean square; 0 or greater.</param>
    /// <param name="savedInvrms">Receives invrms, one element per row, for the backward pass.</param>
    /// <param name="y">Output: rows.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or eps is negative or NaN.</exception>
    public static void Forward<T, TOut>(
        int length, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, double eps, Span<double> savedInvrms, Span<TOut> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        int rows = Require.Rows(x.Length, length);
        Require.LengthOrEmpty(weight.Length, length, nameof(weight));
        Require.Epsilon(eps);
        Require.Length(savedInvrms.Length, rows, nameof(savedInvrms));
        Require.Length(y.Length, x.Length, nameof(y));

        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<T> xRow = x.Slice(row * length, length);
            Span<TOut> yRow = y.Slice(row * length, length);

            double squares = 0;
            foreach (T value in xRow)
                squares += Double(value) * Double(value);
            double invrms = InverseStd(squares / length, eps);

            for (int i = 0; i < length; i++)
                yRow[i] = TOut.CreateTruncating(Double(xRow[i]) * invrms * ValueOr(weight, i, 1));

            savedInvrms[row] = invrms;
        }
    }

    /// <summary>
    /// The gradients of <see cref="Forward"/>. With x^ = x * invrms and g = weight * dy: dx = invrms * (g - x^ * mean(g * x^)), the mean
    /// over a row; dweight = sum(dy * x^), sums over the rows.
    /// </summary>
    /// <param name="length">D, the number of elements in a row.</param>
    /// <param name="dy">Gradient of the output: rows.</param>
    /// <param name="x">Input of the forward pass: rows.</param>
    /// <param name="weight">gamma, (D), or empty.</param>
    /// <param name="savedInvrms">invrms as the forward pass saved it, one element per row.</param>
    /// <param name="dx">Receives the gradient of the input: rows.</param>
    /// <param name="dweight">The gradient of gamma is added to it, (D), or empty when not wanted.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Backward<T, TOut>(
        int length, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<double> savedInvrms, Span<TOut> dx,
        Span<TOut> dweight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOut : unmanaged, IBinaryFloatingPointIeee754<TOut>
    {
        int rows = Require.Rows(x.Length, length);
        Require.Length(dy.Length, x.Length, nameof(dy));
        Require.LengthOrEmpty(weight.Length, length, nameof(weight));
        Require.Length(savedInvrms.Length, rows, nameof(savedInvrms));
        Require.Length(dx.Length, x.Length, nameof(dx));
        Require.LengthOrEmpty(dweight.Length, length, nameof(dweight));

        double[] sumDyXhat = new double[length];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<T> dyRow = dy.Slice(row * length, length), xRow = x.Slice(row * length, length);
            Span<TOut> dxRow = dx.Slice(row * length, length);
            double invrms = savedInvrms[row], sumGXhat = 0;
            for (int i = 0; i < length; i++)
            {
                double xhat = Double(xRow[i]) * invrms;
                sumGXhat += ValueOr(weight, i, 1) * Double(dyRow[i]) * xhat;
                sumDyXhat[i] += Double(dyRow[i]) * xhat;
            }

            for (int i = 0; i < length; i++)
            {
                double xhat = Double(xRow[i]) * invrms, g = ValueOr(weight, i, 1) * Double(dyRow[i]);
                dxRow[i] = TOut.CreateTruncating(invrms * (g - (xhat * sumGXhat / length)));
            }
        }

        for (int i = 0; i < length; i++)
            Add(dweight, i, sumDyXhat[i]);
    }
}
