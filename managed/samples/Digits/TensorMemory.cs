using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

internal static class TensorMemory
{
    /// <summary>The elements of a dense tensor as one span, for TensorPrimitives.</summary>
    public static Span<float> Elements(this Tensor<float> tensor)
    {
        Span<nint> start = stackalloc nint[tensor.Rank];
        start.Clear();
        return tensor.GetSpan(start, checked((int)tensor.FlattenedLength));
    }
}
