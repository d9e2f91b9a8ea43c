namespace NormInterop.PeerBench.Timing;

/// <summary>The few numbers that stand for many.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    /// <summary>Between neighbours by linear interpolation.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        double[] ascending = [.. values.Order()];
        if (ascending.Length == 0)
            return double.NaN;
        double position = share * (ascending.Length - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, ascending.Length - 1);
        return ascending[below] + ((position - below) * (ascending[above] - ascending[below]));
    }

    /// <summary>The mean of ratios: NaN of none.</summary>
    public static double GeometricMean(IEnumerable<double> values)
    {
        double sum = 0;
        int count = 0;
        foreach (double value in values)
        {
            sum += Math.Log(value);
            count++;
        }

        return count == 0 ? double.NaN : Math.Exp(sum / count);
    }
}
