using System.Numerics.Tensors;
using NormInterop.Bindings;

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

/// <summary>A tensor with lengths (N, C, ...) as the native library sees it: N samples of C channels of S positions.</summary>
internal readonly record struct ChannelGeometry(nint Batch, nint Channels, nint Spatial, MemoryFormat Format)
{
    internal nint Elements => Batch * Channels * Spatial;

    internal nint ValuesPerChannel => Batch * Spatial;

    /// <summary>The format that kernels compute in: the tensor's own, or contiguous where that is not dense.</summary>
    internal MemoryFormat DenseFormat => Format == MemoryFormat.Strided ? MemoryFormat.Contiguous : Format;

    /// <summary>Reads lengths and strides, at least two of each. The product of the lengths is known to fit.</summary>
    internal static ChannelGeometry Of(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint spatial = 1;
        foreach (nint length in lengths[2..])
            spatial *= length;
        MemoryFormat format = lengths[0] == 0 || IsContiguous(lengths, strides) ? MemoryFormat.Contiguous
            : IsChannelsLast(lengths, strides) ? MemoryFormat.ChannelsLast
            : MemoryFormat.Strided;
        return new ChannelGeometry(lengths[0], lengths[1], spatial, format);
    }

    /// <summary>Strides of a dense tensor in a format. A dimension of length 1 has stride 0, as in System.Numerics.Tensors.</summary>
    internal static void DenseStrides(ReadOnlySpan<nint> lengths, MemoryFormat format, Span<nint> strides)
    {
        nint stride = 1;
        if (format == MemoryFormat.ChannelsLast)
            Take(1, lengths, strides, ref stride);
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (i != 1 || format != MemoryFormat.ChannelsLast)
                Take(i, lengths, strides, ref stride);
        }

        static void Take(int i, ReadOnlySpan<nint> lengths, Span<nint> strides, ref nint stride)
        {
            strides[i] = lengths[i] == 1 ? 0 : stride;
            stride *= lengths[i];
        }
    }

    internal ChannelShape ToNative(int maxThreads) => new()
    {
        StructSize = Abi.ChannelShapeSize,
        DataType = (int)DataType.Float32,
        Layout = (int)(DenseFormat == MemoryFormat.ChannelsLast ? Layout.Nsc : Layout.Ncs),
        MaxThreads = maxThreads,
        Batch = Batch,
        Channels = Channels,
        // Without samples there are no positions either, whatever the lengths say.
        Spatial = Batch == 0 ? 1 : Spatial,
    };

    private static bool IsContiguous(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint expected = 1;
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (!Continues(lengths[i], strides[i], ref expected))
                return false;
        }

        return true;
    }

    private static bool IsChannelsLast(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint expected = 1;
        if (!Continues(lengths[1], strides[1], ref expected))
            return false;
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (i != 1 && !Continues(lengths[i], strides[i], ref expected))
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
