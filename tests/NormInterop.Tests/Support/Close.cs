namespace NormInterop.Tests.Support;

/// <summary>Comparisons in double, for every data type: results are widened, which is exact.</summary>
internal static class Close
{
    /// <summary>Every element within an absolute tolerance.</summary>
    internal static void Within(double tolerance, ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string name)
    {
        Assert.AreEqual(expected.Length, actual.Length, $"{name}: number of elements");
        for (int i = 0; i < expected.Length; i++)
        {
            // Written so that a NaN fails.
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance))
            {
                Assert.Fail($"{name}: element {i} of {expected.Length} is {actual[i]:R}, expected {expected[i]:R} "
                    + $"within {tolerance:G3}; off by {Math.Abs(expected[i] - actual[i]):G3}");
            }
        }
    }

    /// <summary>Every element within a tolerance that is relative to the largest of them and of <paramref name="scale"/>.</summary>
    internal static void Relative(
        double tolerance, ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string name, double scale = 0)
    {
        foreach (double value in expected)
            scale = Math.Max(scale, Math.Abs(value));
        Within((tolerance * scale) + 1e-300, expected, actual, name);
    }

    /// <summary>The largest difference; infinity where there is a NaN.</summary>
    internal static double LargestError(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        Assert.AreEqual(expected.Length, actual.Length, "number of elements");
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(expected[i] - actual[i]);
            largest = double.IsNaN(error) ? double.PositiveInfinity : Math.Max(largest, error);
        }

        return largest;
    }
}
