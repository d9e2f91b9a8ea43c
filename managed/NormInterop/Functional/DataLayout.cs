namespace NormInterop.Functional;

/// <summary>How the elements of a tensor lie in memory.</summary>
internal enum MemoryFormat
{
    /// <summary>Dense, in the order of the lengths: (N, C, S).</summary>
    Contiguous,

    /// <summary>Dense, channels innermost: (N, S, C).</summary>
    ChannelsLast,

    /// <summary>Anything else; must be packed before a kernel can read it.</summary>
    Strided,
}

/// <summary>What the strides of a tensor say, for a layer that has its channels in dimension <paramref name="Axis"/>.</summary>
internal readonly record struct DataLayout(MemoryFormat Format, int Axis, nint Elements)
{
    /// <summary>The tensor's own format, or contiguous where that is not dense: what kernels compute in and new tensors get.</summary>
    internal MemoryFormat DenseFormat => Format == MemoryFormat.Strided ? MemoryFormat.Contiguous : Format;

    /// <summary>Reads lengths and strides. The product of the lengths is known to fit.</summary>
    internal static DataLayout Of(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides, int axis)
    {
        nint elements = 1;
        foreach (nint length in lengths)
            elements *= length;
        MemoryFormat format = elements == 0 || IsContiguous(lengths, strides) ? MemoryFormat.Contiguous
            : IsChannelsLast(lengths, strides, axis) ? MemoryFormat.ChannelsLast
            : MemoryFormat.Strided;
        return new DataLayout(format, axis, elements);
    }

    /// <summary>Strides of a dense tensor in a format. A dimension of length 1 has stride 0, as in System.Numerics.Tensors.</summary>
    internal static void DenseStrides(ReadOnlySpan<nint> lengths, MemoryFormat format, int axis, Span<nint> strides)
    {
        nint stride = 1;
        bool channelsLast = format == MemoryFormat.ChannelsLast;
        if (channelsLast)
            Take(axis, lengths, strides, ref stride);
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (i != axis || !channelsLast)
                Take(i, lengths, strides, ref stride);
        }

        static void Take(int i, ReadOnlySpan<nint> lengths, Span<nint> strides, ref nint stride)
        {
            strides[i] = lengths[i] == 1 ? 0 : stride;
            stride *= lengths[i];
        }
    }

    /// <summary>Whether elements that follow each other in the order of the indices do so in memory.</summary>
    internal static bool IsContiguous(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint expected = 1;
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (!Continues(lengths[i], strides[i], ref expected))
                return false;
        }

        return true;
    }

    private static bool IsChannelsLast(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides, int axis)
    {
        nint expected = 1;
        if (axis >= lengths.Length || !Continues(lengths[axis], strides[axis], ref expected))
            return false;
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (i != axis && !Continues(lengths[i], strides[i], ref expected))
                return false;
        }

        return true;
    }

    private static bool Continues(nint length, nint stride, ref nint expected)
    {
        bool fits = length == 1 || stride == expected;
        expected *= length;
        return fits;
    }
}
