using System.Globalization;

namespace NormInterop;

/// <content>Formatting: the work of float's, on the number that is to be shown.</content>
public readonly partial struct BFloat16
{
    // Scientific notation with 1, 2, 3 and 4 digits: 4 tell any two BFloat16s apart (1 + 8 * log10(2) rounded up).
    private static readonly string[] Precisions = ["E0", "E1", "E2", "E3"];

    /// <summary>The shortest text that reads back as this number, in the current culture.</summary>
    public override string ToString() => ToString(null, null);

    /// <summary>The number in a format, in the current culture.</summary>
    /// <param name="format">As for a float. Null, empty, "G" and "R" give the shortest text that reads back as this number.</param>
    /// <exception cref="FormatException">There is no such format.</exception>
    public string ToString(string? format) => ToString(format, null);

    /// <summary>The shortest text that reads back as this number.</summary>
    /// <param name="provider">The culture; null for the current one.</param>
    public string ToString(IFormatProvider? provider) => ToString(null, provider);

    /// <summary>The number in a format.</summary>
    /// <param name="format">As for a float. Null, empty, "G" and "R" give the shortest text that reads back as this number.</param>
    /// <param name="formatProvider">The culture; null for the current one.</param>
    /// <exception cref="FormatException">There is no such format.</exception>
    public string ToString(string? format, IFormatProvider? formatProvider) => Shown(format).ToString(format, formatProvider);

    /// <inheritdoc/>
    public bool TryFormat(
        Span<char> destination, out int charsWritten, ReadOnlySpan<char> format = default, IFormatProvider? provider = null) =>
        Shown(format).TryFormat(destination, out charsWritten, format, provider);

    /// <inheritdoc/>
    public bool TryFormat(
        Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format = default, IFormatProvider? provider = null) =>
        Shown(format).TryFormat(utf8Destination, out bytesWritten, format, provider);

    /// <summary>The float whose text in this format is ours: this number itself where the format says how many digits there are.</summary>
    private float Shown(ReadOnlySpan<char> format)
    {
        bool shortest = format.IsEmpty || format[0] switch
        {
            'G' or 'g' => !format[1..].ContainsAnyExcept('0'),
            'R' or 'r' => !format[1..].ContainsAnyExceptInRange('0', '9'),
            _ => false,
        };
        return shortest ? Shortest() : (float)this;
    }

    /// <summary>
    /// The float next to the decimal with the fewest digits that rounds to this number. The float's own shortest text is that decimal.
    /// </summary>
    private float Shortest()
    {
        if (!IsFinite(this) || _bits is 0 or SignMask)
            return (float)this;
        BFloat16 magnitude = Abs(this);
        Span<char> text = stackalloc char[16];
        for (int precision = 0; precision < Precisions.Length; precision++)
        {
            ((double)magnitude).TryFormat(text, out int written, Precisions[precision], CultureInfo.InvariantCulture);
            ReadOnlySpan<char> nearest = text[..written];
            if (!ReadsAs(magnitude, nearest))
            {
                // At a power of 2 the neighbour above is twice as far as the one below, and a decimal above can do where a nearer one below
                // does not.
                nearest = NextDecimal(nearest, precision);
                if (!ReadsAs(magnitude, nearest))
                    continue;
            }

            return MathF.CopySign(float.Parse(nearest, NumberStyles.Float, CultureInfo.InvariantCulture), (float)this);
        }

        return (float)this;
    }

    private static bool ReadsAs(BFloat16 value, ReadOnlySpan<char> text) =>
        Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)._bits == value._bits;

    /// <summary>"1.23E+004" with one more in the last digit: "124E2", given that two digits stand behind the point.</summary>
    private static string NextDecimal(ReadOnlySpan<char> scientific, int fractionDigits)
    {
        int e = scientific.IndexOf('E');
        int digits = 0;
        foreach (char c in scientific[..e])
        {
            if (c != '.')
                digits = (digits * 10) + (c - '0');
        }

        int exponent = int.Parse(scientific[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{digits + 1}E{exponent - fractionDigits}");
    }
}
