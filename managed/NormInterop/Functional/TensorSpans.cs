using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace NormInterop.Functional;

/// <summary>Small views of tensors.</summary>
internal static class TensorSpans
{
    /// <summary>All elements of a dense tensor, in memory order. No allocation.</summary>
    /// <remarks>The tensor's own GetPinnableReference is that of its whole array, also where the tensor is a slice.</remarks>
    internal static Span<T> DenseSpan<T>(this Tensor<T> tensor) =>
        MemoryMarshal.CreateSpan(ref tensor.AsTensorSpan().GetPinnableReference(), checked((int)tensor.FlattenedLength));

    /// <summary>Lengths as PyTorch prints a size: [2, 3, 4].</summary>
    internal static string Size(ReadOnlySpan<nint> lengths) => $"[{string.Join(", ", lengths.ToArray())}]";
}
