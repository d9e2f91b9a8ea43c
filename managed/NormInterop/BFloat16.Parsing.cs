using System.Globalization;
using System.Text;

namespace NormInterop;

/// <content>Parsing: the work of double's, and one rounding.</content>
public readonly partial struct BFloat16
{
    private const NumberStyles DefaultStyle = NumberStyles.Float | NumberStyles.AllowThousands;

    // A halfway point has at most 9 bits and no bit below 2^-134, so its decimal expansion has fewer digits than this.
    private const string ExactFormat = "E150";

    /// <summary>Reads a number in the current culture.</summary>
    /// <param name="s">The text.</param>
    /// <exception cref="FormatException">The text is not a number.</exception>
    public static BFloat16 Parse(string s) => Parse(s, DefaultStyle, null);

    /// <summary>Reads a number in the current culture.</summary>
    /// <param name="s">The text.</param>
    /// <param name="style">What the text may have besides digits.</param>
    /// <exception cref="FormatException">The text is not a number.</exception>
    public static BFloat16 Parse(string s, NumberStyles style) => Parse(s, style, null);

    /// <inheritdoc/>
    public static BFloat16 Parse(string s, IFormatProvider? provider) => Parse(s, DefaultStyle, provider);

    /// <inheritdoc/>
    public static BFloat16 Parse(string s, NumberStyles style, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), style, provider);
    }

    /// <inheritdoc/>
    public static BFloat16 Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s, DefaultStyle, provider);

    /// <inheritdoc/>
    public static BFloat16 Parse(ReadOnlySpan<char> s, NumberStyles style = DefaultStyle, IFormatProvider? provider = null) =>
        Round(double.Parse(s, style, provider), s, style, provider);

    /// <inheritdoc/>
    public static BFloat16 Parse(ReadOnlySpan<byte> utf8Text, IFormatProvider? provider) => Parse(utf8Text, DefaultStyle, provider);

    /// <inheritdoc/>
    public static BFloat16 Parse(ReadOnlySpan<byte> utf8Text, NumberStyles style = DefaultStyle, IFormatProvider? provider = null) =>
        Round(double.Parse(utf8Text, style, provider), utf8Text, style, provider);

    /// <summary>Reads a number in the current culture, if the text is one.</summary>
    /// <param name="s">The text.</param>
    /// <param name="result">The number; 0 where the text is none.</param>
    public static bool TryParse(string? s, out BFloat16 result) => TryParse(s.AsSpan(), DefaultStyle, null, out result);

    /// <summary>Reads a number in the current culture, if the text is one.</summary>
    /// <param name="s">The text.</param>
    /// <param name="result">The number; 0 where the text is none.</param>
    public static bool TryParse(ReadOnlySpan<char> s, out BFloat16 result) => TryParse(s, DefaultStyle, null, out result);

    /// <summary>Reads a number in the current culture, if the text is one.</summary>
    /// <param name="utf8Text">The text.</param>
    /// <param name="result">The number; 0 where the text is none.</param>
    public static bool TryParse(ReadOnlySpan<byte> utf8Text, out BFloat16 result) => TryParse(utf8Text, DefaultStyle, null, out result);

    /// <inheritdoc/>
    public static bool TryParse(string? s, IFormatProvider? provider, out BFloat16 result) =>
        TryParse(s.AsSpan(), DefaultStyle, provider, out result);

    /// <inheritdoc/>
    public static bool TryParse(string? s, NumberStyles style, IFormatProvider? provider, out BFloat16 result) =>
        TryParse(s.AsSpan(), style, provider, out result);

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out BFloat16 result) =>
        TryParse(s, DefaultStyle, provider, out result);

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<byte> utf8Text, IFormatProvider? provider, out BFloat16 result) =>
        TryParse(utf8Text, DefaultStyle, provider, out result);

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, NumberStyles style, IFormatProvider? provider, out BFloat16 result)
    {
        bool isNumber = double.TryParse(s, style, provider, out double value);
        result = isNumber ? Round(value, s, style, provider) : default;
        return isNumber;
    }

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<byte> utf8Text, NumberStyles style, IFormatProvider? provider, out BFloat16 result)
    {
        bool isNumber = double.TryParse(utf8Text, style, provider, out double value);
        result = isNumber ? Round(value, utf8Text, style, provider) : default;
        return isNumber;
    }

    private static BFloat16 Round(double parsed, ReadOnlySpan<byte> utf8Text, NumberStyles style, IFormatProvider? provider) =>
        IsHalfway(parsed) ? Round(parsed, Encoding.UTF8.GetString(utf8Text), style, provider) : (BFloat16)parsed;

    /// <summary>Rounds what a text was parsed to as if the text had not been rounded to a double before.</summary>
    private static BFloat16 Round(double parsed, ReadOnlySpan<char> text, NumberStyles style, IFormatProvider? provider)
    {
        // The text lies on the same side of every halfway point as its nearest double, unless that double is the halfway point.
        if (!IsHalfway(parsed))
            return (BFloat16)parsed;
        double magnitude = Math.Abs(parsed);
        string exact = magnitude.ToString(ExactFormat, CultureInfo.InvariantCulture);
        int order = Digits.Of(text, style, NumberFormatInfo.GetInstance(provider))
            .CompareTo(Digits.Of(exact, NumberStyles.Float, NumberFormatInfo.InvariantInfo));
        if (order > 0)
            magnitude = Math.BitIncrement(magnitude);
        else if (order < 0)
            magnitude = Math.BitDecrement(magnitude);
        return (BFloat16)Math.CopySign(magnitude, parsed);
    }

    private static bool IsHalfway(double value) =>
        double.IsFinite(value) && value != 0
        && ((BFloat16)Math.BitIncrement(value))._bits != ((BFloat16)Math.BitDecrement(value))._bits;

    /// <summary>A positive decimal, 0.Text * 10^Exponent: the digits are without zeros at either end.</summary>
    private readonly record struct Digits(string Text, long Exponent) : IComparable<Digits>
    {
        // Beyond the digits of any text, and far from the limits of a long.
        private const long MostPower = 1L << 40;

        public int CompareTo(Digits other) =>
            Exponent != other.Exponent ? Exponent.CompareTo(other.Exponent) : string.CompareOrdinal(Text, other.Text);

        /// <summary>Of a text that is known to be a number: what is neither digit, point nor exponent does not matter.</summary>
        internal static Digits Of(ReadOnlySpan<char> text, NumberStyles style, NumberFormatInfo info)
        {
            string currencyPoint = info.NumberDecimalSeparator;
            if (style.HasFlag(NumberStyles.AllowCurrencySymbol))
            {
                // Some symbols contain a point.
                text = text.ToString().Replace(info.CurrencySymbol, string.Empty, StringComparison.Ordinal);
                currencyPoint = info.CurrencyDecimalSeparator;
            }

            StringBuilder digits = new();
            bool anyDigit = false, behindPoint = false;
            long exponent = 0;
            for (int i = 0; i < text.Length; i++)
            {
                ReadOnlySpan<char> rest = text[i..];
                if (char.IsAsciiDigit(text[i]))
                {
                    anyDigit = true;
                    if (digits.Length > 0 || text[i] != '0')
                        digits.Append(text[i]);
                    if (behindPoint ? digits.Length == 0 : digits.Length > 0)
                        exponent += behindPoint ? -1 : 1;
                }
                else if (rest.StartsWith(info.NumberDecimalSeparator, StringComparison.Ordinal)
                    || rest.StartsWith(currencyPoint, StringComparison.Ordinal))
                {
                    behindPoint = true;
                }
                else if (anyDigit && IsExponent(rest, info, out long power))
                {
                    exponent += power;
                    break;
                }
            }

            return new Digits(digits.ToString().TrimEnd('0'), exponent);
        }

        /// <summary>Whether a text that stands behind a digit begins with an exponent, and which.</summary>
        private static bool IsExponent(ReadOnlySpan<char> text, NumberFormatInfo info, out long power)
        {
            power = 0;
            if (text[0] is not ('e' or 'E'))
                return false;
            text = text[1..];
            bool negative = text.StartsWith(info.NegativeSign, StringComparison.Ordinal) || text.StartsWith('-');
            int start = text.IndexOfAnyInRange('0', '9'), signs = negative ? info.NegativeSign.Length : info.PositiveSign.Length;
            if (start < 0 || start > Math.Max(1, signs))
                return false;
            foreach (char c in text[start..])
            {
                if (!char.IsAsciiDigit(c))
                    break;
                power = Math.Min((power * 10) + (c - '0'), MostPower);
            }

            if (negative)
                power = -power;
            return true;
        }
    }
}
