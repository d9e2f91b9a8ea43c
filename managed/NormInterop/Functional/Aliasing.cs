using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NormInterop.Functional;

/// <summary>Outputs must be memory of their own, or exactly an input where the layer says so.</summary>
internal static class Aliasing
{
    /// <summary>No element of an output may be written twice, as a stride of 0 would have it.</summary>
    internal static void CheckDistinct(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides, string name)
    {
        if (lengths.Contains(0))
            return;
        for (int i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] > 1 && strides[i] == 0)
            {
                throw new ArgumentException($"{name} has stride 0 in dimension {i} of length {lengths[i]}, so that its elements overlap; "
                    + "expected an element of its own for every index.", name);
            }
        }
    }

    /// <summary>An output and an input of the same lengths: apart, or exactly the same if <paramref name="inPlace"/> is allowed.</summary>
    internal static void Check<TData>(
        in TensorSpan<TData> output, string outputName, in ReadOnlyTensorSpan<TData> input, string inputName, bool inPlace, string reason)
    {
        if (output.FlattenedLength == 0 || input.FlattenedLength == 0)
            return;
        ref byte first = ref Bytes<TData>(output), second = ref Bytes(input);
        if (!Overlap(ref first, Extent<TData>(output.Lengths, output.Strides), ref second, Extent<TData>(input.Lengths, input.Strides)))
            return;
        if (!inPlace || !Unsafe.AreSame(ref first, ref second) || !output.Strides.SequenceEqual(input.Strides))
        {
            throw new ArgumentException($"{outputName} shares memory with {inputName}; expected "
                + $"{(inPlace ? "memory of its own, or exactly the same tensor" : $"memory of its own{reason}")}.", outputName);
        }
    }

    /// <summary>
    /// Parameters and a data tensor, one of which is written. The native library looks at dense tensors itself; of others, it sees a
    /// packed copy only.
    /// </summary>
    internal static void CheckApart<TData, T>(
        ReadOnlySpan<T> parameters, string parametersName, in ReadOnlyTensorSpan<TData> tensor, string tensorName)
    {
        if (parameters.IsEmpty || tensor.FlattenedLength == 0)
            return;
        ref byte first = ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(parameters));
        nuint bytes = (nuint)parameters.Length * (nuint)Unsafe.SizeOf<T>();
        if (Overlap(ref first, bytes, ref Bytes(tensor), Extent<TData>(tensor.Lengths, tensor.Strides)))
            throw new ArgumentException($"{parametersName} shares memory with {tensorName}; expected memory of its own.", parametersName);
    }

    private static ref byte Bytes<TData>(in ReadOnlyTensorSpan<TData> tensor) =>
        ref Unsafe.As<TData, byte>(ref Unsafe.AsRef(in tensor.GetPinnableReference()));

    /// <summary>As Span.Overlaps: one comparison for a second range that starts inside the first, one for the reverse.</summary>
    private static bool Overlap(ref byte first, nuint firstBytes, ref byte second, nuint secondBytes)
    {
        nuint distance = (nuint)Unsafe.ByteOffset(ref first, ref second);
        return distance < firstBytes || distance > unchecked(0 - secondBytes);
    }

    /// <summary>Bytes from the first element to the end of the last one.</summary>
    private static nuint Extent<TData>(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint last = 0;
        for (int i = 0; i < lengths.Length; i++)
            last += (lengths[i] - 1) * strides[i];
        return (nuint)(last + 1) * (nuint)Unsafe.SizeOf<TData>();
    }
}
