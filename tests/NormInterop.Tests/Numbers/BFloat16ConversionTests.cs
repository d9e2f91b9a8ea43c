using System.Numerics;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Numbers;

/// <summary>Conversions of BFloat16: every number where there are few, the hard ones and random ones where there are many.</summary>
[TestClass]
public sealed class BFloat16ConversionTests
{
    private const int Infinity = 0x7F80;

    private static readonly int[] AllBits = [.. Enumerable.Range(0, 1 << 16)];

    [TestMethod]
    public void EveryNumber_SurvivesFloatDoubleAndItsBits()
    {
        Assert.AreEqual(2, System.Runtime.CompilerServices.Unsafe.SizeOf<BFloat16>());
        foreach (int bits in AllBits)
        {
            BFloat16 value = BFloat16.FromBits((ushort)bits);
            Assert.AreEqual(bits, value.ToBits());
            Assert.AreEqual((uint)bits << 16, BitConverter.SingleToUInt32Bits((float)value), "as a float");

            // A signaling NaN comes back as a quiet one.
            int expected = BFloat16.IsNaN(value) ? bits | 0x40 : bits;
            Assert.AreEqual(expected, ((BFloat16)(float)value).ToBits(), $"{bits:X4} through float");
            Assert.AreEqual(expected, ((BFloat16)(double)value).ToBits(), $"{bits:X4} through double");
        }
    }

    [TestMethod]
    public void Float_IsRoundedToNearestEven()
    {
        foreach (int upper in AllBits)
        {
            foreach (uint lower in (uint[])[0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF])
            {
                float value = BitConverter.UInt32BitsToSingle(((uint)upper << 16) | lower);
                int expected = float.IsNaN(value) ? upper | 0x40
                    : lower > 0x8000 || (lower == 0x8000 && upper % 2 == 1) ? upper + 1
                    : upper;
                Assert.AreEqual(expected, ((BFloat16)value).ToBits(), $"{value:R}");
            }
        }
    }

    /// <summary>Rounding to float first would take a double just beside a halfway point for the halfway point itself.</summary>
    [TestMethod]
    public void Double_IsRoundedOnceAtEveryHalfwayPoint()
    {
        for (int low = 0; low < Infinity; low++)
        {
            // Above the largest finite number lies, for rounding, 2^128.
            double above = low + 1 == Infinity ? Math.ScaleB(1, 128) : Number(low + 1);
            double halfway = (Number(low) + above) / 2;
            int even = low % 2 == 0 ? low : low + 1;
            (double Value, int Bits)[] cases =
            [
                (halfway, even), (Math.BitIncrement(halfway), low + 1), (Math.BitDecrement(halfway), low),
                (Math.BitDecrement(above), low + 1),
            ];
            foreach ((double value, int bits) in cases)
            {
                Assert.AreEqual(bits, ((BFloat16)value).ToBits(), $"{value:R}");
                Assert.AreEqual(bits | 0x8000, ((BFloat16)(-value)).ToBits(), $"{-value:R}");
            }
        }
    }

    [TestMethod]
    [DataRow(double.MaxValue, 0x7F80)]
    [DataRow(double.NegativeInfinity, 0xFF80)]
    [DataRow(double.Epsilon, 0x0000)]
    [DataRow(-double.Epsilon, 0x8000)]
    [DataRow(-0.0, 0x8000)]
    public void Double_BeyondTheRange(double value, int bits) => Assert.AreEqual(bits, ((BFloat16)value).ToBits());

    [TestMethod]
    [DataRow(0x7F800001u, 0x7FC0)]
    [DataRow(0xFF800001u, 0xFFC0)]
    [DataRow(0x7FA10000u, 0x7FE1)]
    [DataRow(0xFFFFFFFFu, 0xFFFF)]
    [DataRow(0x7FC0DEADu, 0x7FC0)]
    public void NaN_KeepsSignAndUpperPayload(uint bits, int expected)
    {
        Assert.AreEqual(expected, ((BFloat16)BitConverter.UInt32BitsToSingle(bits)).ToBits());

        // The same NaN as a double: 8 exponent bits become 11, and the payload keeps its place at the top.
        ulong payload = (ulong)(bits & 0x7FFFFF) << 29;
        ulong wide = ((ulong)(bits >> 31) << 63) | 0x7FF0_0000_0000_0000 | payload;
        Assert.AreEqual(expected, ((BFloat16)BitConverter.UInt64BitsToDouble(wide)).ToBits());
    }

    [TestMethod]
    public void EveryHalf_IsRoundedOnce_BothWays()
    {
        foreach (int bits in AllBits)
        {
            Half half = BitConverter.UInt16BitsToHalf((ushort)bits);
            Assert.AreEqual(((BFloat16)(double)half).ToBits(), ((BFloat16)half).ToBits(), $"{half}");
            BFloat16 value = BFloat16.FromBits((ushort)bits);
            Assert.AreEqual(BitConverter.HalfToUInt16Bits((Half)(double)value), BitConverter.HalfToUInt16Bits((Half)value), $"{value}");
        }
    }

    [TestMethod]
    public void Integers_AreRoundedOnce()
    {
        Values random = new(5);
        for (int i = 0; i < 2000; i++)
        {
            // All lengths, and every second one a halfway point or its neighbour: 9 bits, then zeros, then -1, 0 or 1.
            UInt128 bits = new(((ulong)random.NextBits() << 32) | random.NextBits(), ((ulong)random.NextBits() << 32) | random.NextBits());
            UInt128 value = bits >> (i % 128);
            if (i % 2 == 0)
                value = unchecked((((bits | (UInt128.One << 127)) >> 119) << 119 >> (i % 128)) + (UInt128)(i / 2 % 3) - 1);
            Rounding.AssertNearest(value, 1, (BFloat16)value, $"UInt128 {value}");
            Rounding.AssertNearest((BigInteger)(Int128)value, 1, (BFloat16)(Int128)value, $"Int128 {(Int128)value}");
            Rounding.AssertNearest((ulong)value, 1, (BFloat16)(ulong)value, $"UInt64 {(ulong)value}");
            Rounding.AssertNearest((long)value, 1, (BFloat16)(long)value, $"Int64 {(long)value}");
            Rounding.AssertNearest((nuint)value, 1, (BFloat16)(nuint)value, $"UIntPtr {(nuint)value}");
            Rounding.AssertNearest((nint)value, 1, (BFloat16)(nint)value, $"IntPtr {(nint)value}");
            Rounding.AssertNearest((uint)value, 1, (BFloat16)(uint)value, $"UInt32 {(uint)value}");
            Rounding.AssertNearest((int)value, 1, (BFloat16)(int)value, $"Int32 {(int)value}");
            Rounding.AssertNearest((BigInteger)value << 3, 1, BFloat16.CreateChecked((BigInteger)value << 3), $"BigInteger {value} * 8");
        }

        foreach (int value in AllBits)
        {
            Rounding.AssertNearest(value, 1, (BFloat16)(ushort)value, $"UInt16 {value}");
            Rounding.AssertNearest(value, 1, (BFloat16)(char)value, $"Char {value}");
            Rounding.AssertNearest((short)value, 1, (BFloat16)(short)value, $"Int16 {(short)value}");
        }
    }

    [TestMethod]
    public void Bytes_AreExactAndImplicit()
    {
        for (int i = 0; i < 256; i++)
        {
            BFloat16 unsigned = (byte)i, signed = unchecked((sbyte)i);
            Assert.AreEqual((float)(byte)i, (float)unsigned);
            Assert.AreEqual((float)unchecked((sbyte)i), (float)signed);
        }
    }

    [TestMethod]
    public void Decimals_AreRoundedOnce()
    {
        Values random = new(6);
        for (int i = 0; i < 4000; i++)
        {
            (int low, int middle, int high) = ((int)random.NextBits(), (int)random.NextBits(), (int)(random.NextBits() >> (i % 32)));
            decimal value = new(low, i % 5 == 0 ? 0 : middle, high, i % 3 == 0, (byte)(i % 29));
            if (i % 4 == 0)
                value = 257 + (((i / 4 % 3) - 1) * 1e-25m);
            Rounding.AssertNearest(Numerator(value), BigInteger.Pow(10, value.Scale), (BFloat16)value, $"{value}");
        }

        Assert.AreEqual(0x8000, ((BFloat16)(-0.0m)).ToBits());
        Assert.AreEqual(1.1015625m, (decimal)BFloat16.Parse("1.1", null));
        Assert.ThrowsExactly<OverflowException>(() => (decimal)BFloat16.MaxValue);
    }

    [TestMethod]
    public void ToIntegers_DropsTheFractionAndSaturates_OrThrowsWhenChecked()
    {
        BFloat16 value = (BFloat16)(-2.75f), large = (BFloat16)1e30f;
        Assert.AreEqual(-2, (int)value);
        Assert.AreEqual(-2L, (long)value);
        Assert.AreEqual((short)-2, (short)value);
        Assert.AreEqual((sbyte)-2, (sbyte)value);
        Assert.AreEqual((Int128)(-2), (Int128)value);
        Assert.AreEqual((nint)(-2), (nint)value);
        Assert.AreEqual(0u, (uint)value);
        Assert.AreEqual(int.MaxValue, (int)large);
        Assert.AreEqual(ulong.MaxValue, (ulong)large);
        Assert.AreEqual(0, (int)BFloat16.NaN);
        Assert.AreEqual(-2, checked((int)value));
        Assert.ThrowsExactly<OverflowException>(() => checked((byte)value));
        Assert.ThrowsExactly<OverflowException>(() => checked((ulong)value));
        Assert.ThrowsExactly<OverflowException>(() => checked((int)large));
        Assert.ThrowsExactly<OverflowException>(() => checked((long)BFloat16.NaN));
        Assert.ThrowsExactly<OverflowException>(() => checked((UInt128)value));
    }

    [TestMethod]
    public void GenericConversions_GoBothWaysForEveryNumberOfTheFramework()
    {
        BothWays<byte>();
        BothWays<sbyte>();
        BothWays<short>();
        BothWays<ushort>();
        BothWays<int>();
        BothWays<uint>();
        BothWays<long>();
        BothWays<ulong>();
        BothWays<nint>();
        BothWays<nuint>();
        BothWays<Int128>();
        BothWays<UInt128>();
        BothWays<BigInteger>();
        BothWays<char>();
        BothWays<Half>();
        BothWays<float>();
        BothWays<double>();
        BothWays<decimal>();
        BothWays<BFloat16>();
        Assert.AreEqual(new Complex(100, 0), Complex.CreateChecked((BFloat16)100));
        Assert.AreEqual(0x4381, BFloat16.CreateChecked(Math.BitIncrement(257.0)).ToBits(), "257 and a little more is nearer to 258");
        Assert.ThrowsExactly<OverflowException>(() => int.CreateChecked(BFloat16.MaxValue));
        Assert.AreEqual(int.MaxValue, int.CreateSaturating(BFloat16.MaxValue));
        Assert.ThrowsExactly<NotSupportedException>(() => BFloat16.CreateChecked(Complex.ImaginaryOne));
    }

    private static void BothWays<TOther>()
        where TOther : INumber<TOther>
    {
        BFloat16 hundred = (BFloat16)100;
        TOther other = TOther.CreateChecked(hundred);
        Assert.AreEqual("100", TOther.CreateChecked(hundred) is char c ? $"{(int)c}" : other.ToString(null, null), typeof(TOther).Name);
        Assert.AreEqual(hundred, Create<BFloat16, TOther>(other));
        Assert.AreEqual(other, TOther.CreateSaturating(hundred));
        Assert.AreEqual(other, TOther.CreateTruncating(hundred));
        Assert.AreEqual(hundred, BFloat16.CreateSaturating(other));
        Assert.AreEqual(hundred, BFloat16.CreateTruncating(other));
    }

    private static TResult Create<TResult, TOther>(TOther other)
        where TResult : INumber<TResult>
        where TOther : INumber<TOther> => TResult.CreateChecked(other);

    private static BigInteger Numerator(decimal value)
    {
        int[] parts = decimal.GetBits(value);
        BigInteger magnitude = ((BigInteger)(uint)parts[2] << 64) | ((BigInteger)(uint)parts[1] << 32) | (uint)parts[0];
        return decimal.IsNegative(value) ? -magnitude : magnitude;
    }

    private static double Number(int bits) => (double)BFloat16.FromBits((ushort)bits);
}
