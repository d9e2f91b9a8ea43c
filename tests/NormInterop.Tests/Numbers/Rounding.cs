using System.Globalization;
using System.Numerics;

namespace NormInterop.Tests.Numbers;

/// <summary>What rounding to BFloat16 must give, decided in integers: for an exact fraction, which of two neighbours is nearer.</summary>
internal static class Rounding
{
    // The smallest BFloat16, and half of it, which is the last halfway point, are 2^-133 and 2^-134.
    private const int Scale = 134;

    /// <summary>What follows the largest finite number if the exponent went on.</summary>
    private static readonly BigInteger Beyond = BigInteger.One << (128 + Scale);

    /// <summary>The result is the correctly rounded numerator / denominator.</summary>
    internal static void AssertNearest(BigInteger numerator, BigInteger denominator, BFloat16 actual, string name)
    {
        BFloat16 expected = Nearest(BigInteger.Abs(numerator), denominator);
        if (numerator.Sign < 0)
            expected = -expected;
        if (expected.ToBits() != actual.ToBits())
            Assert.Fail($"{name}: is {actual} ({actual.ToBits():X4}), expected {expected} ({expected.ToBits():X4})");
    }

    /// <summary>A decimal text without separators, "-12.5e-3", as a fraction.</summary>
    internal static (BigInteger Numerator, BigInteger Denominator) Fraction(string text)
    {
        string[] parts = text.Split('e');
        int point = parts[0].IndexOf('.', StringComparison.Ordinal);
        int power = parts.Length == 1 ? 0 : int.Parse(parts[1], CultureInfo.InvariantCulture);
        if (point >= 0)
            power -= parts[0].Length - point - 1;
        BigInteger digits = BigInteger.Parse(parts[0].Replace(".", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return power >= 0 ? (digits * BigInteger.Pow(10, power), 1) : (digits, BigInteger.Pow(10, -power));
    }

    // The number that the bits of a magnitude stand for, times 2^Scale.
    private static BigInteger Scaled(int bits) =>
        bits == 0x7F80 ? Beyond
        : bits < 0x80 ? (BigInteger)bits << (Scale - 133)
        : (BigInteger)((bits & 0x7F) | 0x80) << ((bits >> 7) - 134 + Scale);

    private static BFloat16 Nearest(BigInteger numerator, BigInteger denominator)
    {
        BigInteger scaled = numerator << Scale;

        // The largest BFloat16 that is not above the number, by halving the range of the bits, whose order is that of the numbers.
        int low = 0, high = 0x7F80;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (Scaled(middle) * denominator <= scaled)
                low = middle;
            else
                high = middle;
        }

        int order = ((Scaled(low) + Scaled(high)) * denominator).CompareTo(2 * scaled);
        int nearest = order > 0 || (order == 0 && low % 2 == 0) ? low : high;
        return BFloat16.FromBits((ushort)nearest);
    }
}
