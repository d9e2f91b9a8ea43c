using System.Numerics.Tensors;

namespace NormInterop.Functional;

/// <summary>Outputs must be memory of their own, or exactly an input where the layer says so.</summary>
/// <remarks>The exceptions are made in methods of their own: their messages would make every call clear room for them.</remarks>
internal static class Aliasing
{
    /// <summary>No element of an output may be written twice, as a stride of 0 would have it.</summary>
    internal static void CheckDistinct(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides, string name)
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] > 1 && strides[i] == 0 && !lengths.Contains(0))
                throw Repeated(lengths, i, name);
        }
    }

    /// <summary>An output and an input of the same lengths: apart, or exactly the same if <paramref name="inPlace"/> is allowed.</summary>
    internal static void Check<TData>(
        in TensorSpan<TData> output,
        in MemoryRange outputRange,
        string outputName,
        in ReadOnlyTensorSpan<TData> input,
        in MemoryRange inputRange,
        string inputName,
        bool inPlace,
        string reason)
    {
        if (outputRange.Overlaps(inputRange)
            && !(inPlace && outputRange.StartsWith(inputRange) && output.Strides.SequenceEqual(input.Strides)))
        {
            throw Shared(outputName, inputName, inPlace ? ", or exactly the same tensor" : reason);
        }
    }

    /// <summary>
    /// Parameters and a data tensor, one of which is written. The native library looks at dense tensors itself; of others, it sees a
    /// packed copy only.
    /// </summary>
    internal static void CheckApart<T>(ReadOnlySpan<T> parameters, string parametersName, in MemoryRange tensor, string tensorName)
        where T : unmanaged
    {
        if (MemoryRange.Of(parameters).Overlaps(tensor))
            throw Shared(parametersName, tensorName, "");
    }

    private static ArgumentException Shared(string name, string other, string reason) =>
        new($"{name} shares memory with {other}; expected memory of its own{reason}.", name);

    private static ArgumentException Repeated(ReadOnlySpan<nint> lengths, int i, string name) => new(
        $"{name} has stride 0 in dimension {i} of length {lengths[i]}, so that its elements overlap; expected an element of its own for "
        + "every index.", name);
}
