using System.Numerics;

namespace NormInterop;

/// <content>Conversions. Those to BFloat16 round once; those from it are exact or what the same conversion of a float does.</content>
public readonly partial struct BFloat16
{
    private const ushort QuietBit = 0x0040;

    /// <summary>Exact. The bits of a NaN are kept.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value._bits << 16);

    /// <summary>Exact.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator double(BFloat16 value) => (float)value;

    /// <summary>Rounds to Half, whose range ends at 65504: larger numbers become infinite.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator Half(BFloat16 value) => (Half)(float)value;

    /// <summary>Rounds to 15 significant digits, as the conversion of a double does.</summary>
    /// <param name="value">The number to convert.</param>
    /// <exception cref="OverflowException">The number is NaN, infinite, or beyond a decimal.</exception>
    public static explicit operator decimal(BFloat16 value) => (decimal)(double)value;

    /// <summary>Drops the fraction. NaN and numbers out of range become what a float's conversion makes of them, which is unspecified.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator byte(BFloat16 value) => (byte)(float)value;

    /// <inheritdoc cref="explicit operator byte(BFloat16)"/>
    public static explicit operator sbyte(BFloat16 value) => (sbyte)(float)value;

    /// <inheritdoc cref="explicit operator byte(BFloat16)"/>
    public static explicit operator char(BFloat16 value) => (char)(float)value;

    /// <inheritdoc cref="explicit operator byte(BFloat16)"/>
    public static explicit operator short(BFloat16 value) => (short)(float)value;

    /// <inheritdoc cref="explicit operator byte(BFloat16)"/>
    public static explicit operator ushort(BFloat16 value) => (ushort)(float)value;

    /// <summary>Drops the fraction; NaN becomes 0, and numbers out of range the nearest limit.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator int(BFloat16 value) => (int)(float)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator uint(BFloat16 value) => (uint)(float)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator long(BFloat16 value) => (long)(float)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator ulong(BFloat16 value) => (ulong)(float)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator nint(BFloat16 value) => (nint)(float)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator nuint(BFloat16 value) => (nuint)(float)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator Int128(BFloat16 value) => (Int128)(double)value;

    /// <inheritdoc cref="explicit operator int(BFloat16)"/>
    public static explicit operator UInt128(BFloat16 value) => (UInt128)(double)value;

    /// <summary>Drops the fraction.</summary>
    /// <param name="value">The number to convert.</param>
    /// <exception cref="OverflowException">The number is NaN or out of range.</exception>
    public static explicit operator checked byte(BFloat16 value) => checked((byte)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked sbyte(BFloat16 value) => checked((sbyte)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked char(BFloat16 value) => checked((char)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked short(BFloat16 value) => checked((short)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked ushort(BFloat16 value) => checked((ushort)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked int(BFloat16 value) => checked((int)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked uint(BFloat16 value) => checked((uint)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked long(BFloat16 value) => checked((long)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked ulong(BFloat16 value) => checked((ulong)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked nint(BFloat16 value) => checked((nint)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked nuint(BFloat16 value) => checked((nuint)(float)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked Int128(BFloat16 value) => checked((Int128)(double)value);

    /// <inheritdoc cref="explicit operator checked byte(BFloat16)"/>
    public static explicit operator checked UInt128(BFloat16 value) => checked((UInt128)(double)value);

    /// <summary>Exact: every byte has 8 bits, and so has the significand.</summary>
    /// <param name="value">The number to convert.</param>
    public static implicit operator BFloat16(byte value) => (BFloat16)(float)value;

    /// <summary>Exact.</summary>
    /// <param name="value">The number to convert.</param>
    public static implicit operator BFloat16(sbyte value) => (BFloat16)(float)value;

    /// <summary>Rounds to nearest, ties to even. A NaN stays one: quiet, with its sign and the upper bits of its payload.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return new BFloat16((ushort)((bits >> 16) | QuietBit));

        // Adding just below half of the last bit that stays, or half where that bit is odd, carries exactly when rounding goes up; a carry
        // out of the significand raises the exponent, and out of the largest finite number makes infinity.
        return new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>Rounds to nearest, ties to even, once. A NaN stays one: quiet, with its sign and the upper bits of its payload.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(double value)
    {
        if (double.IsNaN(value))
        {
            ulong nan = BitConverter.DoubleToUInt64Bits(value);
            return new BFloat16((ushort)(((nan >> 48) & SignMask) | ExponentMask | QuietBit | ((nan >> 45) & TrailingMask)));
        }

        return (BFloat16)RoundToOdd(value);
    }

    /// <summary>Rounds to nearest, ties to even. A NaN stays one.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(Half value) => (BFloat16)(float)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(decimal value)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        UInt128 magnitude = new((uint)parts[2], ((ulong)(uint)parts[1] << 32) | (uint)parts[0]);
        int digits = (parts[3] >> 16) & 0xFF;
        if (magnitude == 0 || digits == 0)
            return FromInteger(decimal.IsNegative(value), magnitude, 0);

        // The number is magnitude / 10^digits. Shifted to the top, the dividend leaves at least 34 bits of quotient, because 10^28 has 94;
        // a remainder that is not 0 makes the quotient odd, which then cannot be taken for a tie.
        int shift = (int)UInt128.LeadingZeroCount(magnitude);
        UInt128 divisor = (UInt128)BigInteger.Pow(10, digits);
        (UInt128 quotient, UInt128 remainder) = UInt128.DivRem(magnitude << shift, divisor);
        return FromInteger(decimal.IsNegative(value), remainder == 0 ? quotient : quotient | 1, -shift);
    }

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(char value) => (BFloat16)(float)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(short value) => (BFloat16)(float)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(ushort value) => (BFloat16)(float)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(int value) => (BFloat16)(double)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(uint value) => (BFloat16)(double)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(long value) => (BFloat16)(Int128)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(ulong value) => FromInteger(false, value, 0);

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(nint value) => (BFloat16)(Int128)value;

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(nuint value) => FromInteger(false, value, 0);

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(Int128 value) =>
        FromInteger(Int128.IsNegative(value), (UInt128)(Int128.IsNegative(value) ? unchecked(-value) : value), 0);

    /// <summary>Rounds to nearest, ties to even; what lies closer to 2^128 than to the largest finite number becomes infinite.</summary>
    /// <param name="value">The number to convert.</param>
    public static explicit operator BFloat16(UInt128 value) => FromInteger(false, value, 0);

    /// <summary>
    /// A float next to the number, with its last bit set where the number is not a float. Such a float is never halfway between two
    /// BFloat16s and lies on the number's side of every halfway point, so rounding it gives what rounding the number gives
    /// (Boldo and Melquiond 2008; a float has 16 bits more than a BFloat16, also below the normal range, where 2 would do).
    /// </summary>
    private static float RoundToOdd(double value)
    {
        float nearest = (float)value;
        if (nearest == value)
            return nearest;
        uint bits = BitConverter.SingleToUInt32Bits(nearest);
        if (Math.Abs((double)nearest) > Math.Abs(value))
            bits--;
        return BitConverter.UInt32BitsToSingle(bits | 1);
    }

    /// <summary>magnitude * 2^exponent, rounded once.</summary>
    private static BFloat16 FromInteger(bool negative, UInt128 magnitude, int exponent)
    {
        // A double takes 53 bits exactly. What is cut off below them must still be felt: it makes the last bit odd.
        int cut = Math.Max(0, 128 - (int)UInt128.LeadingZeroCount(magnitude) - 53);
        double kept = (ulong)(magnitude >> cut);
        if ((magnitude >> cut) << cut != magnitude)
            kept = (ulong)(magnitude >> cut) | 1;
        double value = Math.ScaleB(kept, cut + exponent);
        return (BFloat16)(negative ? -value : value);
    }

    /// <summary>An integer of any size, rounded once.</summary>
    private static BFloat16 FromInteger(BigInteger value)
    {
        BigInteger magnitude = BigInteger.Abs(value);
        int cut = (int)Math.Clamp(magnitude.GetBitLength() - 64, 0, int.MaxValue);
        ulong kept = (ulong)(magnitude >> cut);
        if (((BigInteger)kept << cut) != magnitude)
            kept |= 1;
        return FromInteger(value.Sign < 0, kept, cut);
    }
}
