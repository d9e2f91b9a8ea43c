using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace NormInterop;

/// <content>What only generic code asks for.</content>
public readonly partial struct BFloat16
{
    static int INumberBase<BFloat16>.Radix => 2;

    static BFloat16 IBinaryNumber<BFloat16>.AllBitsSet => new(0xFFFF);

    static BFloat16 IAdditiveIdentity<BFloat16, BFloat16>.AdditiveIdentity => Zero;

    static BFloat16 IMultiplicativeIdentity<BFloat16, BFloat16>.MultiplicativeIdentity => One;

    static bool INumberBase<BFloat16>.IsCanonical(BFloat16 value) => true;

    static bool INumberBase<BFloat16>.IsComplexNumber(BFloat16 value) => false;

    static bool INumberBase<BFloat16>.IsImaginaryNumber(BFloat16 value) => false;

    static bool INumberBase<BFloat16>.IsZero(BFloat16 value) => (value._bits & ~SignMask) == 0;

    static BFloat16 IBitwiseOperators<BFloat16, BFloat16, BFloat16>.operator &(BFloat16 left, BFloat16 right) =>
        new((ushort)(left._bits & right._bits));

    static BFloat16 IBitwiseOperators<BFloat16, BFloat16, BFloat16>.operator |(BFloat16 left, BFloat16 right) =>
        new((ushort)(left._bits | right._bits));

    static BFloat16 IBitwiseOperators<BFloat16, BFloat16, BFloat16>.operator ^(BFloat16 left, BFloat16 right) =>
        new((ushort)(left._bits ^ right._bits));

    static BFloat16 IBitwiseOperators<BFloat16, BFloat16, BFloat16>.operator ~(BFloat16 value) => new((ushort)~value._bits);

    // The exponent is that of the float; only the significand is shorter.
    int IFloatingPoint<BFloat16>.GetExponentByteCount() => sizeof(sbyte);

    int IFloatingPoint<BFloat16>.GetExponentShortestBitLength() => ExponentBits((float)this);

    int IFloatingPoint<BFloat16>.GetSignificandByteCount() => sizeof(ushort);

    int IFloatingPoint<BFloat16>.GetSignificandBitLength() => 8;

    bool IFloatingPoint<BFloat16>.TryWriteExponentBigEndian(Span<byte> destination, out int bytesWritten) =>
        WriteExponent((float)this, destination, out bytesWritten);

    bool IFloatingPoint<BFloat16>.TryWriteExponentLittleEndian(Span<byte> destination, out int bytesWritten) =>
        WriteExponent((float)this, destination, out bytesWritten);

    bool IFloatingPoint<BFloat16>.TryWriteSignificandBigEndian(Span<byte> destination, out int bytesWritten)
    {
        bool fits = BinaryPrimitives.TryWriteUInt16BigEndian(destination, Significand);
        bytesWritten = fits ? sizeof(ushort) : 0;
        return fits;
    }

    bool IFloatingPoint<BFloat16>.TryWriteSignificandLittleEndian(Span<byte> destination, out int bytesWritten)
    {
        bool fits = BinaryPrimitives.TryWriteUInt16LittleEndian(destination, Significand);
        bytesWritten = fits ? sizeof(ushort) : 0;
        return fits;
    }

    static bool INumberBase<BFloat16>.TryConvertFromChecked<TOther>(TOther value, out BFloat16 result) =>
        TryConvertFrom(value, out result);

    static bool INumberBase<BFloat16>.TryConvertFromSaturating<TOther>(TOther value, out BFloat16 result) =>
        TryConvertFrom(value, out result);

    static bool INumberBase<BFloat16>.TryConvertFromTruncating<TOther>(TOther value, out BFloat16 result) =>
        TryConvertFrom(value, out result);

    // A double holds every BFloat16, and every numeric type of the framework knows double, while none knows this one.
    static bool INumberBase<BFloat16>.TryConvertToChecked<TOther>(BFloat16 value, [MaybeNullWhen(false)] out TOther result)
    {
        result = TOther.CreateChecked((double)value);
        return true;
    }

    static bool INumberBase<BFloat16>.TryConvertToSaturating<TOther>(BFloat16 value, [MaybeNullWhen(false)] out TOther result)
    {
        result = TOther.CreateSaturating((double)value);
        return true;
    }

    static bool INumberBase<BFloat16>.TryConvertToTruncating<TOther>(BFloat16 value, [MaybeNullWhen(false)] out TOther result)
    {
        result = TOther.CreateTruncating((double)value);
        return true;
    }

    /// <inheritdoc/>
    public static BFloat16 CreateChecked<TOther>(TOther value)
        where TOther : INumberBase<TOther> =>
        TryConvertFrom(value, out BFloat16 result) || TOther.TryConvertToChecked(value, out result)
            ? result
            : throw NoConversion<TOther>();

    /// <inheritdoc/>
    public static BFloat16 CreateSaturating<TOther>(TOther value)
        where TOther : INumberBase<TOther> =>
        TryConvertFrom(value, out BFloat16 result) || TOther.TryConvertToSaturating(value, out result)
            ? result
            : throw NoConversion<TOther>();

    /// <inheritdoc/>
    public static BFloat16 CreateTruncating<TOther>(TOther value)
        where TOther : INumberBase<TOther> =>
        TryConvertFrom(value, out BFloat16 result) || TOther.TryConvertToTruncating(value, out result)
            ? result
            : throw NoConversion<TOther>();

    private ushort Significand => (ushort)((_bits & TrailingMask) | ((_bits & ExponentMask) != 0 ? ImplicitBit : 0));

    private static int ExponentBits<TFloat>(TFloat value)
        where TFloat : IFloatingPoint<TFloat> => value.GetExponentShortestBitLength();

    private static bool WriteExponent<TFloat>(TFloat value, Span<byte> destination, out int bytesWritten)
        where TFloat : IFloatingPoint<TFloat> => value.TryWriteExponentLittleEndian(destination, out bytesWritten);

    private static NotSupportedException NoConversion<TOther>() =>
        new($"There is no conversion of {typeof(TOther).Name} to {nameof(BFloat16)}.");

    // The branches are decided when the code for a TOther is made; the boxes vanish with the others.
    private static bool TryConvertFrom<TOther>(TOther value, out BFloat16 result)
    {
        BFloat16? converted = value switch
        {
            BFloat16 x => x,
            float x => (BFloat16)x,
            double x => (BFloat16)x,
            Half x => (BFloat16)x,
            decimal x => (BFloat16)x,
            byte x => x,
            sbyte x => x,
            char x => (BFloat16)x,
            short x => (BFloat16)x,
            ushort x => (BFloat16)x,
            int x => (BFloat16)x,
            uint x => (BFloat16)x,
            long x => (BFloat16)x,
            ulong x => (BFloat16)x,
            nint x => (BFloat16)x,
            nuint x => (BFloat16)x,
            Int128 x => (BFloat16)x,
            UInt128 x => (BFloat16)x,
            BigInteger x => FromInteger(x),
            _ => null,
        };
        result = converted.GetValueOrDefault();
        return converted is not null;
    }
}
