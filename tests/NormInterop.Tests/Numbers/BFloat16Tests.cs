using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Numbers;

/// <summary>BFloat16 as a number: constants, kinds, order, arithmetic, and use in generic code.</summary>
[TestClass]
public sealed class BFloat16Tests
{
    private static readonly BFloat16[] Everything = [.. Enumerable.Range(0, 1 << 16).Select(bits => BFloat16.FromBits((ushort)bits))];

    private static readonly BFloat16[] Special =
    [
        BFloat16.NaN, BFloat16.NegativeInfinity, BFloat16.MinValue, BFloat16.NegativeOne, -BFloat16.Epsilon, BFloat16.NegativeZero,
        BFloat16.Zero, BFloat16.Epsilon, BFloat16.One, BFloat16.Pi, BFloat16.MaxValue, BFloat16.PositiveInfinity,
    ];

    [TestMethod]
    public void Constants()
    {
        Assert.AreEqual((BFloat16)Math.PI, BFloat16.Pi);
        Assert.AreEqual((BFloat16)Math.Tau, BFloat16.Tau);
        Assert.AreEqual((BFloat16)Math.E, BFloat16.E);
        Assert.AreEqual((BFloat16)1f, BFloat16.One);
        Assert.AreEqual((BFloat16)(-1f), BFloat16.NegativeOne);
        Assert.AreEqual(Math.ScaleB(1, -133), (double)BFloat16.Epsilon);
        Assert.AreEqual((2 - Math.ScaleB(1, -7)) * Math.ScaleB(1, 127), (double)BFloat16.MaxValue);
        Assert.AreEqual(-(double)BFloat16.MaxValue, (double)BFloat16.MinValue);
        Assert.AreEqual(float.PositiveInfinity, (float)BFloat16.PositiveInfinity);
        Assert.AreEqual(float.NegativeInfinity, (float)BFloat16.NegativeInfinity);
        Assert.IsTrue(float.IsNaN((float)BFloat16.NaN));
        Assert.AreEqual(0x8000, BFloat16.NegativeZero.ToBits());
        Assert.AreEqual(0, default(BFloat16).ToBits());
    }

    /// <summary>A number is of a kind if the float that it is the upper half of is.</summary>
    [TestMethod]
    public void Kinds_AreThoseOfTheFloat()
    {
        foreach (BFloat16 value in Everything)
        {
            float same = (float)value;
            Assert.AreEqual(float.IsNaN(same), BFloat16.IsNaN(value));
            Assert.AreEqual(float.IsInfinity(same), BFloat16.IsInfinity(value));
            Assert.AreEqual(float.IsPositiveInfinity(same), BFloat16.IsPositiveInfinity(value));
            Assert.AreEqual(float.IsNegativeInfinity(same), BFloat16.IsNegativeInfinity(value));
            Assert.AreEqual(float.IsFinite(same), BFloat16.IsFinite(value));
            Assert.AreEqual(float.IsNormal(same), BFloat16.IsNormal(value));
            Assert.AreEqual(float.IsSubnormal(same), BFloat16.IsSubnormal(value));
            Assert.AreEqual(float.IsNegative(same), BFloat16.IsNegative(value));
            Assert.AreEqual(float.IsPositive(same), BFloat16.IsPositive(value));
            Assert.AreEqual(float.IsInteger(same), BFloat16.IsInteger(value));
            Assert.AreEqual(float.IsPow2(same), BFloat16.IsPow2(value));
            Assert.AreEqual(float.IsRealNumber(same), BFloat16.IsRealNumber(value));
        }

        Assert.AreEqual(2 * 127, Everything.Count(BFloat16.IsSubnormal));
        Assert.IsTrue(BFloat16.IsOddInteger((BFloat16)3) && BFloat16.IsEvenInteger((BFloat16)4) && !BFloat16.IsOddInteger((BFloat16)2.5f));
    }

    [TestMethod]
    public void Comparisons_AreThoseOfTheFloat()
    {
        foreach (BFloat16 left in Special)
        {
            foreach (BFloat16 right in Special)
            {
                float x = (float)left, y = (float)right;
                Assert.AreEqual(x == y, left == right);
                Assert.AreEqual(x != y, left != right);
                Assert.AreEqual(x < y, left < right);
                Assert.AreEqual(x > y, left > right);
                Assert.AreEqual(x <= y, left <= right);
                Assert.AreEqual(x >= y, left >= right);
                Assert.AreEqual(x.Equals(y), left.Equals(right));
                Assert.AreEqual(x.Equals(y), left.Equals((object)right));
                Assert.AreEqual(x.CompareTo(y), left.CompareTo(right));
                Assert.AreEqual(x.CompareTo(y), left.CompareTo((object)right));
                Assert.IsTrue(!left.Equals(right) || left.GetHashCode() == right.GetHashCode());
                Assert.AreEqual(float.Max(x, y), (float)BFloat16.Max(left, right));
                Assert.AreEqual(float.MinNumber(x, y), (float)BFloat16.MinNumber(left, right));
                Assert.AreEqual(float.MaxMagnitude(x, y), (float)BFloat16.MaxMagnitude(left, right));
                Assert.AreEqual(float.CopySign(x, y), (float)BFloat16.CopySign(left, right));
            }
        }

        Assert.AreEqual(1, BFloat16.NaN.CompareTo(null));
        Assert.IsFalse(BFloat16.One.Equals(1f));
        Assert.ThrowsExactly<ArgumentException>(() => BFloat16.One.CompareTo(1f));
    }

    [TestMethod]
    public void Neighbours_AreInOrder()
    {
        BFloat16 value = BFloat16.NegativeInfinity;
        int steps = 0;
        while (!BFloat16.IsPositiveInfinity(value))
        {
            BFloat16 next = BFloat16.BitIncrement(value);
            Assert.IsTrue(next > value);

            // Both zeros come down to -epsilon, and -epsilon goes up to -0.
            Assert.AreEqual(value, BFloat16.BitDecrement(next));
            value = next;
            steps++;
        }

        Assert.AreEqual(2 * 0x7F80, steps);
        Assert.IsTrue(BFloat16.IsNaN(BFloat16.BitIncrement(BFloat16.NaN)));
        Assert.AreEqual(BFloat16.MaxValue, BFloat16.BitDecrement(BFloat16.PositiveInfinity));
        Assert.AreEqual(BFloat16.PositiveInfinity, BFloat16.BitIncrement(BFloat16.PositiveInfinity));
    }

    [TestMethod]
    public void SumsProductsQuotientsAndRoots_AreRoundedOnce()
    {
        Values random = new(11);
        for (int i = 0; i < 20000; i++)
        {
            // Positive, so that no result is -0, which a fraction has not; every second pair of similar size, where digits meet.
            uint bits = random.NextBits(), first = bits % 0x7F80;
            BFloat16 x = Everything[first], y = Everything[i % 2 == 0 ? (bits >> 16) % 0x7F80 : first ^ (bits >> 23)];
            if (y == BFloat16.Zero || !BFloat16.IsFinite(y))
                continue;
            BigInteger p = Scaled(x), q = Scaled(y), one = BigInteger.One << 133;
            Rounding.AssertNearest(p + q, one, x + y, $"{x} + {y}");
            Rounding.AssertNearest(p - q, one, x - y, $"{x} - {y}");
            Rounding.AssertNearest(p * q, one * one, x * y, $"{x} * {y}");
            Rounding.AssertNearest(p, q, x / y, $"{x} / {y}");
            Rounding.AssertNearest(p % q, one, x % y, $"{x} % {y}");
            Rounding.AssertNearest((p * q) - (q * one), one * one, BFloat16.FusedMultiplyAdd(x, y, -y), $"{x} * {y} - {y}");
        }

        foreach (BFloat16 value in Everything.Where(BFloat16.IsFinite))
            Assert.AreEqual((BFloat16)Math.Sqrt((double)value), BFloat16.Sqrt(value));
    }

    /// <summary>3 * 87 = 261 is halfway between 260 and 262. Any addend decides, however small: no float or double holds the sum.</summary>
    [TestMethod]
    public void FusedMultiplyAdd_IsRoundedOnce()
    {
        BFloat16 x = (BFloat16)3, y = (BFloat16)87;
        Assert.AreEqual((BFloat16)260, BFloat16.FusedMultiplyAdd(x, y, BFloat16.Zero));
        Assert.AreEqual((BFloat16)262, BFloat16.FusedMultiplyAdd(x, y, BFloat16.Epsilon));
        Assert.AreEqual((BFloat16)260, BFloat16.FusedMultiplyAdd(x, y, -BFloat16.Epsilon));
        Assert.AreEqual((BFloat16)(-262), BFloat16.FusedMultiplyAdd(-x, y, -BFloat16.Epsilon));
        Assert.AreEqual(BFloat16.PositiveInfinity, BFloat16.FusedMultiplyAdd(BFloat16.MaxValue, x, BFloat16.One));
        Assert.IsTrue(BFloat16.IsNaN(BFloat16.FusedMultiplyAdd(BFloat16.PositiveInfinity, BFloat16.Zero, BFloat16.One)));
    }

    [TestMethod]
    public void Functions_AreThoseOfMath()
    {
        BFloat16 x = (BFloat16)0.625f, y = (BFloat16)(-2.25f);
        Assert.AreEqual((BFloat16)Math.Exp(0.625), BFloat16.Exp(x));
        Assert.AreEqual((BFloat16)Math.Log(0.625), BFloat16.Log(x));
        Assert.AreEqual((BFloat16)Math.Tanh(-2.25), BFloat16.Tanh(y));
        Assert.AreEqual((BFloat16)Math.Pow(0.625, -2.25), BFloat16.Pow(x, y));
        Assert.AreEqual(((BFloat16)Math.Sin(0.625), (BFloat16)Math.Cos(0.625)), BFloat16.SinCos(x));
        Assert.AreEqual((BFloat16)Math.Atan2(0.625, -2.25), BFloat16.Atan2(x, y));
        Assert.AreEqual((BFloat16)Math.E - BFloat16.One, BFloat16.ExpM1(BFloat16.One));
        Assert.AreEqual(BFloat16.Epsilon, BFloat16.ExpM1(BFloat16.Epsilon), "exp itself is 1 there");
        BFloat16 small = (BFloat16)1e-20;
        Assert.AreEqual((BFloat16)((double)small / Math.Log(2)), BFloat16.Log2P1(small));
        Assert.AreEqual((BFloat16)(-2), BFloat16.Round(y));
        Assert.AreEqual((BFloat16)(-3), BFloat16.Floor(y));
        Assert.AreEqual((BFloat16)(-2.2), BFloat16.Round(y, 1));
        Assert.AreEqual((BFloat16)2.25f, BFloat16.Abs(y));
        Assert.AreEqual(-1, BFloat16.Sign(y));
        Assert.AreEqual(1, BFloat16.ILogB(y));
        Assert.AreEqual(BFloat16.Epsilon, BFloat16.ScaleB(BFloat16.One, -133));
        Assert.AreEqual(BFloat16.Zero, BFloat16.ScaleB(BFloat16.One, -134));
        Assert.AreEqual(BFloat16.One, BFloat16.Clamp((BFloat16)7, BFloat16.Zero, BFloat16.One));
        BFloat16 counter = x;
        Assert.AreEqual((BFloat16)1.625f, ++counter);
    }

    [TestMethod]
    public void GenericCode_SeesAnIeeeNumber()
    {
        Assert.AreEqual((8, 8, 2), Widths<BFloat16>(BFloat16.MaxValue));
        Assert.AreEqual((BFloat16)6, Sum<BFloat16>([BFloat16.One, (BFloat16)2, (BFloat16)3]));
        Assert.AreEqual(0xFFFF, AllBitsSet<BFloat16>().ToBits());
        Span<byte> significand = stackalloc byte[2];
        Assert.AreEqual(2, Significand(BFloat16.Pi, significand));
        Assert.AreEqual(0xC9, significand[0], "1.5703125 * 128");
    }

    [TestMethod]
    public void Tensors_HoldIt()
    {
        Tensor<BFloat16> tensor = Tensor.Create<BFloat16>([BFloat16.One, (BFloat16)2, (BFloat16)3, (BFloat16)4], [2, 2]);
        Tensor<BFloat16> doubled = Tensor.Multiply<BFloat16>(tensor, (BFloat16)2);
        Assert.AreEqual((BFloat16)8, doubled[1, 1]);
        Assert.AreEqual((BFloat16)10, Tensor.Sum<BFloat16>(tensor));
        Tensor<float> floats = Tensor.ConvertTruncating<BFloat16, float>(tensor);
        Assert.AreEqual(4f, floats[1, 1]);
        Assert.AreEqual((BFloat16)3, Tensor.ConvertTruncating<float, BFloat16>(floats)[1, 0]);
    }

    // Times 2^133, which makes an integer of every BFloat16.
    private static BigInteger Scaled(BFloat16 value) => (BigInteger)Math.ScaleB((double)value, 133);

    private static T Sum<T>(T[] values)
        where T : INumber<T> => values.Aggregate(T.Zero, (sum, value) => sum + value);

    private static T AllBitsSet<T>()
        where T : IBinaryNumber<T> => T.AllBitsSet & ~T.Zero;

    private static int Significand<T>(T value, Span<byte> destination)
        where T : IFloatingPoint<T> => value.WriteSignificandLittleEndian(destination);

    private static (int Exponent, int Significand, int Radix) Widths<T>(T value)
        where T : IFloatingPointIeee754<T> => (value.GetExponentShortestBitLength() + 1, value.GetSignificandBitLength(), T.Radix);
}
