using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace NormInterop.Functional;

/// <summary>Outputs must be memory of their own, or exactly an input where the layer says so.</summary>
internal static class Aliasing
{
    /// <summary>No element of an output may be written twice, as a stride of 0 would have it.</summary>
    internal static void CheckDistinct(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides, string name)
    {
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
        nint distance = Unsafe.ByteOffset(
            ref Unsafe.AsRef(in input.GetPinnableReference()), ref output.GetPinnableReference());
        nuint inputBytes = Extent<TData>(input.Lengths, input.Strides), outputBytes = Extent<TData>(output.Lengths, output.Strides);
        // As Span.Overlaps: one comparison for an output that starts inside the input, one for the reverse.
        bool overlap = (nuint)distance < inputBytes || (nuint)distance > unchecked(0 - outputBytes);
        if (!overlap)
            return;
        if (!inPlace || distance != 0 || !output.Strides.SequenceEqual(input.Strides))
        {
            throw new ArgumentException($"{outputName} shares memory with {inputName}; expected "
                + $"{(inPlace ? "memory of its own, or exactly the same tensor" : $"memory of its own{reason}")}.", outputName);
        }
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
