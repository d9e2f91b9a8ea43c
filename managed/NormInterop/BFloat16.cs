using System.Numerics;
using System.Runtime.InteropServices;

namespace NormInterop;

/// <summary>
/// A 16-bit floating-point number with the range of a float and 8 bits of precision: the upper half of a binary32
/// (1 sign bit, 8 exponent bits, 7 stored bits of the significand).
/// </summary>
/// <remarks>
/// <para>Every result is rounded once, to nearest with ties to even. Sums, products, quotients, square roots, fused multiply-adds,
/// conversions and parsed texts are the correctly rounded exact results; the other functions are those of a double, rounded.</para>
/// <para>As with <see cref="Half"/>, conversions that could surprise are explicit, and <c>ToString</c> gives the shortest text that
/// reads back as the same number.</para>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly partial struct BFloat16
    : IComparable,
      IComparable<BFloat16>,
      IEquatable<BFloat16>,
      ISpanFormattable,
      IUtf8SpanFormattable,
      IBinaryFloatingPointIeee754<BFloat16>,
      IMinMaxValue<BFloat16>
{
    private const ushort SignMask = 0x8000;
    private const ushort ExponentMask = 0x7F80;
    private const ushort TrailingMask = 0x007F;
    private const ushort ImplicitBit = 0x0080;

    private readonly ushort _bits;

    private BFloat16(ushort bits) => _bits = bits;

    /// <summary>The smallest number above 0, 2^-133. Not the machine epsilon, as in the framework's own types.</summary>
    public static BFloat16 Epsilon => new(0x0001);

    /// <summary>The largest finite number, about 3.39E+38.</summary>
    public static BFloat16 MaxValue => new(0x7F7F);

    /// <summary>The lowest finite number, about -3.39E+38.</summary>
    public static BFloat16 MinValue => new(0xFF7F);

    /// <summary>Not a number; quiet, with the sign bit set, as <see cref="float.NaN"/>.</summary>
    public static BFloat16 NaN => new(0xFFC0);

    /// <summary>Positive infinity.</summary>
    public static BFloat16 PositiveInfinity => new(0x7F80);

    /// <summary>Negative infinity.</summary>
    public static BFloat16 NegativeInfinity => new(0xFF80);

    /// <summary>-0, equal to 0.</summary>
    public static BFloat16 NegativeZero => new(0x8000);

    /// <summary>0.</summary>
    public static BFloat16 Zero => default;

    /// <summary>1.</summary>
    public static BFloat16 One => new(0x3F80);

    /// <summary>-1.</summary>
    public static BFloat16 NegativeOne => new(0xBF80);

    /// <summary>The base of natural logarithms, here 2.71875.</summary>
    public static BFloat16 E => new(0x402E);

    /// <summary>Half of the circumference of the unit circle, here 3.140625.</summary>
    public static BFloat16 Pi => new(0x4049);

    /// <summary>The circumference of the unit circle, here 6.28125.</summary>
    public static BFloat16 Tau => new(0x40C9);

    /// <summary>The number with these bits.</summary>
    /// <param name="bits">From the highest: sign (1), exponent (8, biased by 127), significand without its first bit (7).</param>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bits of this number, as <see cref="FromBits"/> takes them.</summary>
    public ushort ToBits() => _bits;

    /// <inheritdoc/>
    public static bool IsNaN(BFloat16 value) => (value._bits & ~SignMask) > ExponentMask;

    /// <inheritdoc/>
    public static bool IsInfinity(BFloat16 value) => (value._bits & ~SignMask) == ExponentMask;

    /// <inheritdoc/>
    public static bool IsPositiveInfinity(BFloat16 value) => value._bits == ExponentMask;

    /// <inheritdoc/>
    public static bool IsNegativeInfinity(BFloat16 value) => value._bits == (SignMask | ExponentMask);

    /// <inheritdoc/>
    public static bool IsFinite(BFloat16 value) => (value._bits & ExponentMask) != ExponentMask;

    /// <inheritdoc/>
    public static bool IsNormal(BFloat16 value) => IsFinite(value) && (value._bits & ExponentMask) != 0;

    /// <inheritdoc/>
    public static bool IsSubnormal(BFloat16 value) => (value._bits & ExponentMask) == 0 && (value._bits & TrailingMask) != 0;

    /// <inheritdoc/>
    public static bool IsNegative(BFloat16 value) => (value._bits & SignMask) != 0;

    /// <inheritdoc/>
    public static bool IsPositive(BFloat16 value) => (value._bits & SignMask) == 0;

    /// <inheritdoc/>
    public static bool IsRealNumber(BFloat16 value) => !IsNaN(value);

    /// <inheritdoc/>
    public static bool IsInteger(BFloat16 value) => float.IsInteger((float)value);

    /// <inheritdoc/>
    public static bool IsEvenInteger(BFloat16 value) => float.IsEvenInteger((float)value);

    /// <inheritdoc/>
    public static bool IsOddInteger(BFloat16 value) => float.IsOddInteger((float)value);

    /// <inheritdoc/>
    public static bool IsPow2(BFloat16 value) => float.IsPow2((float)value);

    /// <inheritdoc/>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == (float)right;

    /// <inheritdoc/>
    public static bool operator !=(BFloat16 left, BFloat16 right) => (float)left != (float)right;

    /// <inheritdoc/>
    public static bool operator <(BFloat16 left, BFloat16 right) => (float)left < (float)right;

    /// <inheritdoc/>
    public static bool operator >(BFloat16 left, BFloat16 right) => (float)left > (float)right;

    /// <inheritdoc/>
    public static bool operator <=(BFloat16 left, BFloat16 right) => (float)left <= (float)right;

    /// <inheritdoc/>
    public static bool operator >=(BFloat16 left, BFloat16 right) => (float)left >= (float)right;

    /// <summary>Compares for sorting: NaN comes first and equals NaN.</summary>
    /// <param name="other">The number to compare with.</param>
    /// <returns>Below 0, 0, or above 0, as this number is less than, equal to, or greater than the other.</returns>
    public int CompareTo(BFloat16 other) => ((float)this).CompareTo((float)other);

    /// <summary>Compares for sorting: null comes first, then NaN.</summary>
    /// <param name="obj">A BFloat16, or null.</param>
    /// <returns>Below 0, 0, or above 0, as this number is less than, equal to, or greater than the other.</returns>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        BFloat16 other => CompareTo(other),
        _ => throw new ArgumentException($"Expected a {nameof(BFloat16)}, got a {obj.GetType().Name}.", nameof(obj)),
    };

    /// <summary>Equality for collections: as ==, but NaN equals NaN.</summary>
    /// <param name="other">The number to compare with.</param>
    public bool Equals(BFloat16 other) => ((float)this).Equals((float)other);

    /// <summary>Equality for collections: as ==, but NaN equals NaN.</summary>
    /// <param name="obj">Equal only if it is a BFloat16.</param>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();
}
