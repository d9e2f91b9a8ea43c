using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace NormInterop.Tests.Numbers;

/// <summary>Formatting and parsing of BFloat16.</summary>
[TestClass]
public sealed class BFloat16TextTests
{
    private const NumberStyles Scientific = NumberStyles.Float;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    [TestMethod]
    public void EveryNumber_ReadsBackFromTheShortestText()
    {
        for (int bits = 0; bits < 1 << 16; bits++)
        {
            BFloat16 value = BFloat16.FromBits((ushort)bits);
            string text = value.ToString(Invariant);
            BFloat16 back = BFloat16.Parse(text, Invariant);
            if (BFloat16.IsNaN(value))
                Assert.IsTrue(BFloat16.IsNaN(back));
            else
                Assert.AreEqual(bits, back.ToBits(), text);
            if (BFloat16.IsFinite(value))
                AssertNoShorterText(BFloat16.Abs(value), text.TrimStart('-'));
        }
    }

    [TestMethod]
    [DataRow(0x3F8D, "1.1")]
    [DataRow(0xBF8D, "-1.1")]
    [DataRow(0x4049, "3.14")]
    [DataRow(0x7F7F, "3.39E+38")]
    [DataRow(0x0001, "9E-41")]
    [DataRow(0x0080, "1.18E-38")]
    [DataRow(0x4380, "256")]
    [DataRow(0x4381, "258")]
    [DataRow(0x4780, "65500")]
    [DataRow(0x8000, "-0")]
    [DataRow(0x7F80, "Infinity")]
    [DataRow(0xFF80, "-Infinity")]
    [DataRow(0xFFC0, "NaN")]
    public void KnownTexts(int bits, string text)
    {
        BFloat16 value = BFloat16.FromBits((ushort)bits);
        foreach (string? format in (string?[])[null, "", "G", "R", "G0", "R7"])
            Assert.AreEqual(text, value.ToString(format, Invariant), $"format {format}");
        Assert.AreEqual(text, string.Create(Invariant, $"{value}"));
    }

    /// <summary>With a number of digits asked for, the text is of the exact number, as a float's is.</summary>
    [TestMethod]
    [DataRow("F3", "1.102")]
    [DataRow("F10", "1.1015625000")]
    [DataRow("E4", "1.1016E+000")]
    [DataRow("G4", "1.102")]
    [DataRow("g0", "1.1")]
    [DataRow("N1", "1.1")]
    [DataRow("P1", "110.2 %")]
    [DataRow("0.000", "1.102")]
    public void Formats(string format, string text) => Assert.AreEqual(text, BFloat16.FromBits(0x3F8D).ToString(format, Invariant));

    [TestMethod]
    public void FormatsThatAreNone_AreRefused() => Assert.ThrowsExactly<FormatException>(() => BFloat16.One.ToString("Q5", Invariant));

    [TestMethod]
    public void TryFormat_WritesCharsAndUtf8_OrNothingWhereThereIsNoRoom()
    {
        BFloat16 value = (BFloat16)(-0.0123f);
        Span<char> chars = stackalloc char[16];
        Assert.IsTrue(value.TryFormat(chars, out int written, default, Invariant));
        Assert.AreEqual("-0.0123", chars[..written].ToString());
        Span<byte> bytes = stackalloc byte[16];
        Assert.IsTrue(value.TryFormat(bytes, out written, default, Invariant));
        Assert.AreEqual("-0.0123", Encoding.UTF8.GetString(bytes[..written]));
        Assert.IsFalse(value.TryFormat(chars[..6], out written, default, Invariant));
        Assert.AreEqual(0, written);
        Assert.IsFalse(value.TryFormat(bytes[..6], out written, default, Invariant));
    }

    /// <summary>
    /// 257 lies halfway between 256 and 258, 259 between 258 and 260: a text beside a halfway point must not be taken for it.
    /// </summary>
    [TestMethod]
    [DataRow("257", 256f)]
    [DataRow("257.0000", 256f)]
    [DataRow("257.00000000000000000000000000000000000000001", 258f)]
    [DataRow("256.99999999999999999999999999999999999999999", 256f)]
    [DataRow("2.5700000000000000000000000000000000000000001e2", 258f)]
    [DataRow("  -25700000000000000000000000000000000000000001E-41 ", -258f)]
    [DataRow("0.00257e+5", 256f)]
    [DataRow("259", 260f)]
    [DataRow("258.99999999999999999999999999999999999999999", 258f)]
    [DataRow("1,028", 1024f)]
    [DataRow("1,028.000000000000000000000000001", 1032f)]
    [DataRow("339617752923046005526922703901628039168", float.PositiveInfinity)]
    [DataRow("339617752923046005526922703901628039167.99999999999", 3.3895314e38f)]
    [DataRow("1e400", float.PositiveInfinity)]
    [DataRow("1e-400", 0f)]
    [DataRow("0", 0f)]
    public void Texts_AreRoundedOnce(string text, float expected)
    {
        Assert.AreEqual(expected, (float)BFloat16.Parse(text, Invariant));
        Assert.AreEqual(expected, (float)BFloat16.Parse(Encoding.UTF8.GetBytes(text), Invariant));
        Assert.IsTrue(BFloat16.TryParse(text, Invariant, out BFloat16 value));
        Assert.AreEqual(expected, (float)value);
    }

    [TestMethod]
    public void Texts_OfOtherCultures()
    {
        NumberFormatInfo german = new() { NumberDecimalSeparator = ",", NumberGroupSeparator = ".", NegativeSign = "\u2212" };
        Assert.AreEqual("\u22121,1", BFloat16.FromBits(0xBF8D).ToString(german));
        Assert.AreEqual(1032f, (float)BFloat16.Parse("1.028,0000000000000000000000000000000001", german));
        Assert.AreEqual(258f, (float)BFloat16.Parse("2570000000000000000000000000000000000001e\u221237", german));

        NumberFormatInfo swiss = new() { CurrencySymbol = "Fr.", CurrencyDecimalSeparator = "," };
        Assert.AreEqual(-258f, (float)BFloat16.Parse("(Fr.257,0000000000000000000000000000000001)", NumberStyles.Currency, swiss));
        Assert.AreEqual(256f, (float)BFloat16.Parse("257,0000000000000000000000000000000000 Fr.", NumberStyles.Currency, swiss));
    }

    /// <summary>
    /// 2^-134, half of the smallest number, to its last digit; and a little more.
    /// </summary>
    [TestMethod]
    public void Texts_AtTheLowerEnd()
    {
        string half = Math.ScaleB(1, -134).ToString("F134", Invariant);
        Assert.AreEqual(0x0000, BFloat16.Parse(half, Invariant).ToBits());
        Assert.AreEqual(0x0001, BFloat16.Parse(half + "0000000001", Invariant).ToBits());
        Assert.AreEqual(0x8001, BFloat16.Parse("-" + half + "0000000001", Invariant).ToBits());
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("one")]
    [DataRow("1.2.3")]
    [DataRow("257e")]
    [DataRow("0x10")]
    public void TextsThatAreNone_AreRefused(string text)
    {
        Assert.ThrowsExactly<FormatException>(() => BFloat16.Parse(text, Invariant));
        Assert.IsFalse(BFloat16.TryParse(text, Invariant, out BFloat16 value));
        Assert.AreEqual(0, value.ToBits());
        Assert.IsFalse(BFloat16.TryParse(Encoding.UTF8.GetBytes(text), out _));
    }

    [TestMethod]
    public void Null_IsRefused()
    {
        Assert.ThrowsExactly<ArgumentNullException>(() => BFloat16.Parse(null!));
        Assert.IsFalse(BFloat16.TryParse((string?)null, out _));
    }

    [TestMethod]
    public void RandomTexts_AreRoundedOnce()
    {
        Gen<string> texts =
            from sign in Gen.Elements(string.Empty, "-")
            from digits in Gen.Choose(0, 9).NonEmptyListOf()
            from point in Gen.Choose(0, 12)
            from exponent in Gen.Choose(-50, 45)
            select sign + WithPoint(string.Concat(digits), point) + $"e{exponent}";
        Gen<string> halfway =
            from low in Gen.Choose(0, 0x7F7E)
            from more in Gen.Elements("", "0", "00000000000000000000000000000000001", "3")
            let above = (double)BFloat16.FromBits((ushort)(low + 1))
            select (((double)BFloat16.FromBits((ushort)low) + above) / 2).ToString("F134", Invariant) + more;
        Config config = Config.QuickThrowOnFailure.WithMaxTest(2000)
            .WithReplay(new Replay(new Rnd(20240301, 0x9E37_79B9_7F4A_7C15), FSharpOption<int>.None));
        Check.One(config, Prop.ForAll(Arb.From(Gen.OneOf(texts, halfway)), text =>
        {
            (System.Numerics.BigInteger numerator, System.Numerics.BigInteger denominator) = Rounding.Fraction(text);
            BFloat16 actual = BFloat16.Parse(text, Scientific, Invariant);

            // A fraction has no -0.
            Rounding.AssertNearest(numerator, denominator, numerator.Sign >= 0 ? BFloat16.Abs(actual) : actual, text);
        }));
    }

    private static string WithPoint(string digits, int point) => point < digits.Length ? digits[..point] + "." + digits[point..] : digits;

    // Fewer digits in scientific notation: the decimals on both sides read back as other numbers.
    private static void AssertNoShorterText(BFloat16 value, string text)
    {
        if (value == BFloat16.Zero)
            return;
        int digits = text.Split('E')[0].Replace(".", string.Empty, StringComparison.Ordinal).Trim('0').Length;
        if (digits == 1)
            return;

        // The exact number, cut after one digit less, and one more in that place.
        string exact = ((double)value).ToString("E150", Invariant);
        string mantissa = exact[0] + exact[2..exact.IndexOf('E', StringComparison.Ordinal)];
        int exponent = int.Parse(exact[(exact.IndexOf('E', StringComparison.Ordinal) + 1)..], Invariant);
        long below = long.Parse(mantissa[..(digits - 1)], Invariant);
        for (long candidate = below; candidate <= below + 1; candidate++)
        {
            string shorter = string.Create(Invariant, $"{candidate}e{exponent - digits + 2}");
            Assert.AreNotEqual(value.ToBits(), BFloat16.Parse(shorter, Scientific, Invariant).ToBits(), $"{text} could be {shorter}");
        }
    }
}
