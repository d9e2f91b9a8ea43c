namespace NormInterop.Functional;

/// <summary>Shapes that a layer is made with: the dimensions that LayerNorm and RMSNorm normalize, or that CaffeScale scales.</summary>
internal static class Shapes
{
    /// <summary>Checks the shape of LayerNorm and RMSNorm, which has at least one dimension.</summary>
    /// <returns>The lengths as tensors have them.</returns>
    internal static nint[] Normalized(ReadOnlySpan<int> normalizedShape)
    {
        if (normalizedShape.IsEmpty)
        {
            throw new ArgumentException(
                "Expected normalizedShape to have at least 1 dimension, got normalizedShape=[].", nameof(normalizedShape));
        }

        return Lengths(normalizedShape, nameof(normalizedShape));
    }

    /// <summary>Checks that no length is below 1, and that an array can have the elements.</summary>
    /// <returns>The lengths as tensors have them.</returns>
    internal static nint[] Lengths(ReadOnlySpan<int> shape, string name)
    {
        nint[] lengths = new nint[shape.Length];
        long elements = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            if (shape[i] < 1)
                throw new ArgumentException($"Expected every dimension of {name} to be at least 1, got {name}={Text(shape)}.", name);
            lengths[i] = shape[i];
            elements *= shape[i];
            if (elements > Array.MaxLength)
            {
                throw new ArgumentException(
                    $"Expected {name} to have at most {Array.MaxLength} elements, got {name}={Text(shape)}.", name);
            }
        }

        return lengths;
    }

    /// <summary>The rows of an input whose last lengths are the normalized shape.</summary>
    internal static NormGeometry Rows(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> normalizedShape)
    {
        if (!lengths.EndsWith(normalizedShape))
        {
            string dimensions = string.Join(", ", normalizedShape.ToArray());
            throw Guard.Refused($"Given normalizedShape=[{dimensions}], expected input with shape [*, {dimensions}], but got input of "
                + $"size {TensorSpans.Size(lengths)}", "input");
        }

        return NormGeometry.OfRows(lengths, normalizedShape.Length);
    }

    /// <summary>Distance from 1 to the next number: the eps of an RMSNorm that is given none.</summary>
    internal static double MachineEpsilon<T>() => typeof(T) == typeof(double) ? 1.0 / (1L << 52) : 1.0 / (1 << 23);

    /// <summary>As Python writes a tuple: (3, 4), (3,) for a single one, () for none.</summary>
    internal static string Tuple(ReadOnlySpan<int> shape) =>
        shape.Length == 1 ? $"({shape[0]},)" : $"({string.Join(", ", shape.ToArray())})";

    private static string Text(ReadOnlySpan<int> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
