using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NormInterop.Functional;

/// <summary>The memory from the first element of a tensor to the end of its last one. Tensors without elements have none.</summary>
internal readonly ref struct MemoryRange
{
    private readonly ref byte _first;
    private readonly nuint _bytes;

    private MemoryRange(ref byte first, nuint bytes)
    {
        _first = ref first;
        _bytes = bytes;
    }

    internal static MemoryRange Of<TData>(in ReadOnlyTensorSpan<TData> tensor)
        where TData : unmanaged => tensor.FlattenedLength == 0
            ? default
            : new(
                ref Unsafe.As<TData, byte>(ref Unsafe.AsRef(in tensor.GetPinnableReference())),
                Extent<TData>(tensor.Lengths, tensor.Strides));

    /// <summary>The same for a tensor that is written: its conversion to a read-only one would copy 120 bytes.</summary>
    internal static MemoryRange Of<TData>(in TensorSpan<TData> tensor)
        where TData : unmanaged => tensor.FlattenedLength == 0
            ? default
            : new(ref Unsafe.As<TData, byte>(ref tensor.GetPinnableReference()), Extent<TData>(tensor.Lengths, tensor.Strides));

    internal static MemoryRange Of<T>(ReadOnlySpan<T> parameters)
        where T : unmanaged =>
        new(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(parameters)), (nuint)parameters.Length * (nuint)Unsafe.SizeOf<T>());

    internal bool StartsWith(in MemoryRange other) => Unsafe.AreSame(ref _first, ref other._first);

    /// <summary>As Span.Overlaps: one comparison for a second range that starts inside the first, one for the reverse.</summary>
    internal bool Overlaps(in MemoryRange other)
    {
        nuint distance = (nuint)Unsafe.ByteOffset(ref _first, ref other._first);
        return (distance < _bytes || distance > unchecked(0 - other._bytes)) && _bytes != 0 && other._bytes != 0;
    }

    private static nuint Extent<TData>(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
        where TData : unmanaged
    {
        nint last = 0;
        for (int i = 0; i < lengths.Length; i++)
            last += (lengths[i] - 1) * strides[i];
        return (nuint)(last + 1) * (nuint)Unsafe.SizeOf<TData>();
    }
}
