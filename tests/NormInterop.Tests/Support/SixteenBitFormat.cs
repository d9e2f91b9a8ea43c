namespace NormInterop.Tests.Support;

/// <summary>A binary floating-point format, in arithmetic of double alone: it shares no code with the conversions that it judges.</summary>
/// <param name="Significand">Significant bits, the leading one included.</param>
/// <param name="SmallestExponent">Exponent of the smallest normal number.</param>
internal sealed record SixteenBitFormat(int Significand, int SmallestExponent)
{
    internal static readonly SixteenBitFormat Half = new(11, -14);

    internal static readonly SixteenBitFormat BFloat16 = new(8, -126);

    internal static SixteenBitFormat Of<T>() => typeof(T) == typeof(Half) ? Half : BFloat16;

    /// <summary>The nearest number of the format, of two the even one. Too large a number is the test's mistake.</summary>
    internal double Round(double value)
    {
        double unit = Unit(value);
        return Math.Round(value / unit, MidpointRounding.ToEven) * unit;
    }

    /// <summary>How many steps of the format lie between a result and the correctly rounded expected value.</summary>
    internal double Steps(double expected, double actual) => Math.Abs(Ordinal(Round(expected)) - Ordinal(actual));

    /// <summary>Fails where a result is neither the correctly rounded expected value nor next to it.</summary>
    internal void AssertRounded(double[] expected, double[] actual, string name)
    {
        Assert.HasCount(expected.Length, actual, name);
        for (int i = 0; i < expected.Length; i++)
        {
            // Written so that a NaN fails.
            if (!(Steps(expected[i], actual[i]) <= 1))
            {
                Assert.Fail($"{name}: element {i} of {expected.Length} is {actual[i]:R}, {Steps(expected[i], actual[i])} steps from "
                    + $"{Round(expected[i]):R}, to which {expected[i]:R} is rounded");
            }
        }
    }

    // The distance between neighbours at this size.
    private double Unit(double value)
    {
        int exponent = value == 0 ? SmallestExponent : Math.Max(Math.ILogB(value), SmallestExponent);
        return Math.ScaleB(1, exponent - Significand + 1);
    }

    // Consecutive numbers of the format have consecutive ordinals; zero, of either sign, has 0.
    private double Ordinal(double value)
    {
        if (value == 0 || !double.IsFinite(value))
            return value;
        double binade = Math.Max(Math.ILogB(value), SmallestExponent) - SmallestExponent;
        return Math.Sign(value) * ((binade * Math.ScaleB(1, Significand - 1)) + (Math.Abs(value) / Unit(value)));
    }
}
