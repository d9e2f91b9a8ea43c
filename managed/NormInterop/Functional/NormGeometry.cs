using System.Runtime.CompilerServices;
using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>
/// A tensor as the native library sees it: N samples of C channels of S positions, or M rows of D elements, which is N = M, C = D
/// and S = 1.
/// </summary>
/// <remarks>The dimensions before <see cref="Axis"/> make N, the next <see cref="Axes"/> make C, and the others make S. Weight and
/// bias have the lengths of the middle ones.</remarks>
internal readonly record struct NormGeometry
{
    /// <summary>The dimension that formats are named after where the layer itself says nothing: that of PyTorch's channels.</summary>
    private const int UsualAxis = 1;

    internal nint Batch { get; private init; }

    internal nint Channels { get; private init; }

    internal nint Spatial { get; private init; }

    /// <summary>Groups that the channels of a sample fall into, each with statistics of its own; 1 where there are none.</summary>
    internal int Groups { get; init; }

    internal int Axis { get; private init; }

    internal int Axes { get; private init; }

    /// <summary>The dimension that is innermost in the format "channels last".</summary>
    internal int FormatAxis { get; private init; }

    /// <summary>Whether kernels want the order of the lengths, whatever the format: rows, or several dimensions of channels.</summary>
    private bool ContiguousOnly { get; init; }

    /// <summary>Channels in one dimension; unbatched tensors have them in dimension 0.</summary>
    internal static NormGeometry OfChannels(ReadOnlySpan<nint> lengths, int axis = UsualAxis) => Of(lengths, axis, 1) with
    {
        FormatAxis = axis,
        ContiguousOnly = false,
    };

    /// <summary>Rows that the last dimensions make, this many of them.</summary>
    internal static NormGeometry OfRows(ReadOnlySpan<nint> lengths, int axes) => Of(lengths, lengths.Length - axes, axes);

    /// <summary>Channels in any number of dimensions, none included. Tensors without elements count as without samples.</summary>
    internal static NormGeometry OfScale(ReadOnlySpan<nint> lengths, int axis, int axes)
    {
        NormGeometry geometry = axes == 1 && axis == UsualAxis
            ? OfChannels(lengths)
            : Of(lengths, axis, axes) with { ContiguousOnly = axes > 0 };
        return lengths.Contains(0) ? geometry with { Batch = 0 } : geometry;
    }

    /// <summary>The format that kernels compute in, for an input of this layout.</summary>
    internal MemoryFormat ComputeFormat(in DataLayout input) => ContiguousOnly ? MemoryFormat.Contiguous : input.DenseFormat;

    internal ChannelShape ToChannels<TData>(MemoryFormat format, int maxThreads) => new()
    {
        StructSize = Abi.ChannelShapeSize,
        DataType = NativeType<TData>(),
        Layout = (int)Order(format),
        MaxThreads = maxThreads,
        Batch = Batch,
        Channels = Channels,
        Spatial = NativeSpatial,
    };

    internal GroupShape ToGroups<TData>(MemoryFormat format, int maxThreads) => new()
    {
        StructSize = Abi.GroupShapeSize,
        DataType = NativeType<TData>(),
        Layout = (int)Order(format),
        MaxThreads = maxThreads,
        Batch = Batch,
        Channels = Channels,
        Spatial = NativeSpatial,
        Groups = Groups,
    };

    internal RowShape ToRows<TData>(int maxThreads) => new()
    {
        StructSize = Abi.RowShapeSize,
        DataType = NativeType<TData>(),
        MaxThreads = maxThreads,
        Rows = Batch,
        Length = Channels,
    };

    /// <summary>Without samples there are no positions either, whatever the lengths say; the native library wants at least 1.</summary>
    private nint NativeSpatial => Batch == 0 ? 1 : Spatial;

    private static NormGeometry Of(ReadOnlySpan<nint> lengths, int axis, int axes) => new()
    {
        Batch = Product(lengths[..axis]),
        Channels = Product(lengths.Slice(axis, axes)),
        Spatial = Product(lengths[(axis + axes)..]),
        Groups = 1,
        Axis = axis,
        Axes = axes,
        FormatAxis = UsualAxis,
        ContiguousOnly = true,
    };

    private static nint Product(ReadOnlySpan<nint> lengths)
    {
        nint product = 1;
        foreach (nint length in lengths)
            product *= length;
        return product;
    }

    private static Layout Order(MemoryFormat format) => format == MemoryFormat.ChannelsLast ? Layout.Nsc : Layout.Ncs;

    /// <summary>The type of the data, a constant to the JIT. <see cref="Guard.DataType"/> has refused all others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NativeType<TData>() => (int)(typeof(TData) == typeof(double) ? DataType.Float64
        : typeof(TData) == typeof(Half) ? DataType.Float16
        : typeof(TData) == typeof(BFloat16) ? DataType.Bfloat16
        : DataType.Float32);
}
