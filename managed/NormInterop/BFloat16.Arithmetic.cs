namespace NormInterop;

/// <content>Arithmetic, order and rounding to integers.</content>
/// <remarks>
/// A float has more than twice the bits of a BFloat16 and two to spare (24 >= 2 * 8 + 2), so rounding a sum, product, quotient or square
/// root to float first changes nothing (Figueroa 1995).
/// </remarks>
public readonly partial struct BFloat16
{
    /// <inheritdoc/>
    public static BFloat16 operator +(BFloat16 left, BFloat16 right) => (BFloat16)((float)left + (float)right);

    /// <inheritdoc/>
    public static BFloat16 operator -(BFloat16 left, BFloat16 right) => (BFloat16)((float)left - (float)right);

    /// <inheritdoc/>
    public static BFloat16 operator *(BFloat16 left, BFloat16 right) => (BFloat16)((float)left * (float)right);

    /// <inheritdoc/>
    public static BFloat16 operator /(BFloat16 left, BFloat16 right) => (BFloat16)((float)left / (float)right);

    /// <inheritdoc/>
    public static BFloat16 operator %(BFloat16 left, BFloat16 right) => (BFloat16)((float)left % (float)right);

    /// <inheritdoc/>
    public static BFloat16 operator ++(BFloat16 value) => value + One;

    /// <inheritdoc/>
    public static BFloat16 operator --(BFloat16 value) => value - One;

    /// <inheritdoc/>
    public static BFloat16 operator +(BFloat16 value) => value;

    /// <inheritdoc/>
    public static BFloat16 operator -(BFloat16 value) => new((ushort)(value._bits ^ SignMask));

    /// <inheritdoc/>
    public static BFloat16 Abs(BFloat16 value) => new((ushort)(value._bits & ~SignMask));

    /// <inheritdoc/>
    public static BFloat16 CopySign(BFloat16 value, BFloat16 sign) => new((ushort)((value._bits & ~SignMask) | (sign._bits & SignMask)));

    /// <inheritdoc/>
    public static int Sign(BFloat16 value) => Math.Sign((float)value);

    /// <inheritdoc/>
    public static BFloat16 Clamp(BFloat16 value, BFloat16 min, BFloat16 max) => (BFloat16)Math.Clamp((float)value, (float)min, (float)max);

    /// <inheritdoc/>
    public static BFloat16 Max(BFloat16 x, BFloat16 y) => (BFloat16)float.Max((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 MaxNumber(BFloat16 x, BFloat16 y) => (BFloat16)float.MaxNumber((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 MaxMagnitude(BFloat16 x, BFloat16 y) => (BFloat16)float.MaxMagnitude((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 MaxMagnitudeNumber(BFloat16 x, BFloat16 y) => (BFloat16)float.MaxMagnitudeNumber((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 Min(BFloat16 x, BFloat16 y) => (BFloat16)float.Min((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 MinNumber(BFloat16 x, BFloat16 y) => (BFloat16)float.MinNumber((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 MinMagnitude(BFloat16 x, BFloat16 y) => (BFloat16)float.MinMagnitude((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 MinMagnitudeNumber(BFloat16 x, BFloat16 y) => (BFloat16)float.MinMagnitudeNumber((float)x, (float)y);

    /// <inheritdoc/>
    public static BFloat16 Ceiling(BFloat16 x) => (BFloat16)MathF.Ceiling((float)x);

    /// <inheritdoc/>
    public static BFloat16 Floor(BFloat16 x) => (BFloat16)MathF.Floor((float)x);

    /// <inheritdoc/>
    public static BFloat16 Truncate(BFloat16 x) => (BFloat16)MathF.Truncate((float)x);

    /// <inheritdoc/>
    public static BFloat16 Round(BFloat16 x) => (BFloat16)MathF.Round((float)x);

    /// <inheritdoc/>
    public static BFloat16 Round(BFloat16 x, int digits) => Round(x, digits, MidpointRounding.ToEven);

    /// <inheritdoc/>
    public static BFloat16 Round(BFloat16 x, MidpointRounding mode) => (BFloat16)MathF.Round((float)x, mode);

    /// <inheritdoc/>
    public static BFloat16 Round(BFloat16 x, int digits, MidpointRounding mode) => (BFloat16)Math.Round((double)x, digits, mode);

    /// <inheritdoc/>
    public static BFloat16 BitIncrement(BFloat16 x)
    {
        if (!IsFinite(x))
            return IsNegativeInfinity(x) ? MinValue : x;
        if (x._bits == SignMask)
            return Epsilon;
        return new BFloat16((ushort)(IsNegative(x) ? x._bits - 1 : x._bits + 1));
    }

    /// <inheritdoc/>
    public static BFloat16 BitDecrement(BFloat16 x) => -BitIncrement(-x);

    /// <inheritdoc/>
    public static int ILogB(BFloat16 x) => MathF.ILogB((float)x);

    /// <inheritdoc/>
    public static BFloat16 ScaleB(BFloat16 x, int n) => (BFloat16)Math.ScaleB((double)x, n);

    /// <inheritdoc/>
    public static BFloat16 Ieee754Remainder(BFloat16 left, BFloat16 right) => (BFloat16)MathF.IEEERemainder((float)left, (float)right);

    /// <inheritdoc/>
    public static BFloat16 Lerp(BFloat16 value1, BFloat16 value2, BFloat16 amount) =>
        (BFloat16)double.Lerp((double)value1, (double)value2, (double)amount);

    /// <inheritdoc/>
    public static BFloat16 FusedMultiplyAdd(BFloat16 left, BFloat16 right, BFloat16 addend)
    {
        // The product has 16 bits and is exact in double. The sum need not be, and rounded to double it can become a tie that it was not:
        // what was lost (Knuth's two-sum, exact here because nothing overflows) makes the last bit odd instead.
        double product = (double)left * (double)right, c = (double)addend;
        double sum = product + c;
        if (!double.IsFinite(sum))
            return (BFloat16)sum;
        double virtualC = sum - product;
        double lost = (product - (sum - virtualC)) + (c - virtualC);
        if (lost != 0 && (BitConverter.DoubleToUInt64Bits(sum) & 1) == 0)
            sum = lost > 0 ? Math.BitIncrement(sum) : Math.BitDecrement(sum);
        return (BFloat16)sum;
    }

    /// <inheritdoc/>
    public static BFloat16 MultiplyAddEstimate(BFloat16 left, BFloat16 right, BFloat16 addend) => FusedMultiplyAdd(left, right, addend);

    /// <inheritdoc/>
    public static BFloat16 ReciprocalEstimate(BFloat16 x) => One / x;

    /// <inheritdoc/>
    public static BFloat16 ReciprocalSqrtEstimate(BFloat16 x) => (BFloat16)(1 / Math.Sqrt((double)x));

    /// <inheritdoc/>
    public static BFloat16 Sqrt(BFloat16 x) => (BFloat16)MathF.Sqrt((float)x);
}
