using System.Numerics;

namespace NormInterop.Reference;

/// <summary>The conversions that the loops make: every number is taken to double, and results are rounded once.</summary>
internal static class Numbers
{
    public static double Double<T>(T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => double.CreateTruncating(value);

    /// <summary>An element, or what it stands for where there are none: 1 for a weight, 0 for a bias.</summary>
    public static double ValueOr<T>(ReadOnlySpan<T> values, int i, double absent)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => values.IsEmpty ? absent : Double(values[i]);

    /// <summary>Adds to an element, unless there are none.</summary>
    public static void Add<T>(Span<T> sums, int i, double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!sums.IsEmpty)
            sums[i] = T.CreateTruncating(Double(sums[i]) + value);
    }

    /// <summary>1 / sqrt(var + eps). Without the exception, constant data with eps 0 would be 0 * infinity, which is NaN.</summary>
    public static double InverseStd(double var, double eps) => var + eps == 0 ? 0 : 1 / Math.Sqrt(var + eps);
}
