namespace NormInterop;

/// <summary>Type of the elements of a <see cref="StateTensor"/>: the types of the safetensors format, under its names.</summary>
/// <remarks>In the order in which the format's reference implementation stores them, the last ones first in a file.</remarks>
public enum StateDataType
{
    /// <summary>A byte that is 0 or 1; "BOOL".</summary>
    Bool,

    /// <summary>4-bit float of OCP MX; two in a byte.</summary>
    F4,

    /// <summary>6-bit float of OCP MX, 2 bits of exponent; four in three bytes; "F6_E2M3".</summary>
    F6E2M3,

    /// <summary>6-bit float of OCP MX, 3 bits of exponent; four in three bytes; "F6_E3M2".</summary>
    F6E3M2,

    /// <summary>Unsigned 8-bit integer, <see cref="byte"/>.</summary>
    U8,

    /// <summary>Signed 8-bit integer, <see cref="sbyte"/>.</summary>
    I8,

    /// <summary>8-bit float, 5 bits of exponent; "F8_E5M2".</summary>
    F8E5M2,

    /// <summary>8-bit float, 4 bits of exponent; "F8_E4M3".</summary>
    F8E4M3,

    /// <summary>8-bit power of two of OCP MX; "F8_E8M0".</summary>
    F8E8M0,

    /// <summary>8-bit float, 4 bits of exponent, without infinities and -0; "F8_E4M3FNUZ".</summary>
    F8E4M3Fnuz,

    /// <summary>8-bit float, 5 bits of exponent, without infinities and -0; "F8_E5M2FNUZ".</summary>
    F8E5M2Fnuz,

    /// <summary>Signed 16-bit integer, <see cref="short"/>.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer, <see cref="ushort"/>.</summary>
    U16,

    /// <summary>16-bit float of IEEE 754, <see cref="Half"/>.</summary>
    F16,

    /// <summary>The upper half of a 32-bit float, <see cref="BFloat16"/>.</summary>
    BF16,

    /// <summary>Signed 32-bit integer, <see cref="int"/>.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer, <see cref="uint"/>.</summary>
    U32,

    /// <summary>32-bit float, <see cref="float"/>.</summary>
    F32,

    /// <summary>Two 32-bit floats, the real and the imaginary part.</summary>
    C64,

    /// <summary>64-bit float, <see cref="double"/>.</summary>
    F64,

    /// <summary>Signed 64-bit integer, <see cref="long"/>.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer, <see cref="ulong"/>.</summary>
    U64,
}

/// <summary>What is known of each <see cref="StateDataType"/>.</summary>
internal static class StateDataTypes
{
    // In the order of the enumeration. Type: what reads it, where .NET or this library has such a number.
    private static readonly (string Name, int Bits, Type? Type)[] Known =
    [
        ("BOOL", 8, null), ("F4", 4, null), ("F6_E2M3", 6, null), ("F6_E3M2", 6, null), ("U8", 8, typeof(byte)), ("I8", 8, typeof(sbyte)),
        ("F8_E5M2", 8, null), ("F8_E4M3", 8, null), ("F8_E8M0", 8, null), ("F8_E4M3FNUZ", 8, null), ("F8_E5M2FNUZ", 8, null),
        ("I16", 16, typeof(short)), ("U16", 16, typeof(ushort)), ("F16", 16, typeof(Half)), ("BF16", 16, typeof(BFloat16)),
        ("I32", 32, typeof(int)), ("U32", 32, typeof(uint)), ("F32", 32, typeof(float)), ("C64", 64, null),
        ("F64", 64, typeof(double)), ("I64", 64, typeof(long)), ("U64", 64, typeof(ulong)),
    ];

    /// <summary>The name in a file.</summary>
    internal static string Name(this StateDataType type) => Known[(int)type].Name;

    internal static int Bits(this StateDataType type) => Known[(int)type].Bits;

    internal static bool IsFloating(this StateDataType type) =>
        type is StateDataType.F16 or StateDataType.BF16 or StateDataType.F32 or StateDataType.F64;

    internal static StateDataType? Parse(string name)
    {
        int index = Array.FindIndex(Known, known => known.Name == name);
        return index < 0 ? null : (StateDataType)index;
    }

    /// <summary>The type of a tensor with elements of this .NET type.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    internal static StateDataType Of<TData>()
    {
        int index = Array.FindIndex(Known, known => known.Type == typeof(TData));
        if (index >= 0)
            return (StateDataType)index;
        string expected = string.Join(", ", Known.Where(known => known.Type is not null).Select(known => known.Type!.Name));
        throw new NotSupportedException($"Elements of type {typeof(TData).Name} are not supported; expected one of {expected}.");
    }

    /// <summary>Bytes that elements of a type take; null where they fill no whole number of bytes or overflow 63 bits.</summary>
    internal static long? ByteLength(StateDataType type, ReadOnlySpan<nint> shape)
    {
        // Zeros are left out at first, so that a shape is not refused or accepted depending on where its zero stands.
        long elements = 1;
        bool empty = false;
        foreach (nint length in shape)
        {
            empty |= length == 0;
            if (length != 0 && Math.BigMul(elements, (long)length, out elements) is not 0 || elements < 0)
                return null;
        }

        if (empty)
            return 0;
        long high = Math.BigMul(elements, type.Bits(), out long bits);
        return high != 0 || bits < 0 || bits % 8 != 0 ? null : bits / 8;
    }
}
