using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using NormInterop.Recycling;

namespace NormInterop.Functional;

/// <summary>
/// An input in a dense format: the tensor's own memory where it has that format, otherwise a packed copy from the pool.
/// Dispose gives the copy back.
/// </summary>
internal readonly ref struct DenseInput<TData>
    where TData : unmanaged
{
    private readonly ref TData _reference;
    private readonly TData[]? _rented;

    internal DenseInput(in ReadOnlyTensorSpan<TData> tensor, in DataLayout layout, MemoryFormat format, string name)
    {
        if (layout.Format == format || layout.Elements == 0)
        {
            _reference = ref Unsafe.AsRef(in tensor.GetPinnableReference());
            return;
        }

        _rented = DenseBuffers.Pack(tensor, layout, format, name);
        _reference = ref _rented[0];
    }

    /// <summary>The first element, for <c>fixed</c>.</summary>
    public ref TData GetPinnableReference() => ref _reference;

    public void Dispose()
    {
        if (_rented is not null)
            ArrayPool<TData>.Shared.Return(_rented);
    }
}

/// <summary>An output in a dense format: the tensor's own memory, or room from the pool that <see cref="Commit"/> copies out.</summary>
internal readonly ref struct DenseOutput<TData>
    where TData : unmanaged
{
    private readonly ref TData _reference;
    private readonly TData[]? _rented;
    private readonly DataLayout _layout;
    private readonly MemoryFormat _format;

    internal DenseOutput(in TensorSpan<TData> tensor, in DataLayout layout, MemoryFormat format, string name)
    {
        if (layout.Format == format || layout.Elements == 0)
        {
            _reference = ref tensor.GetPinnableReference();
            return;
        }

        _layout = layout;
        _format = format;
        _rented = DenseBuffers.Rent<TData>(tensor.Lengths, layout.Elements, name);
        _reference = ref _rented[0];
    }

    /// <summary>The first element, for <c>fixed</c>.</summary>
    public ref TData GetPinnableReference() => ref _reference;

    /// <summary>Brings the result to where the caller wants it: to the tensor that this was made of.</summary>
    internal void Commit(in TensorSpan<TData> tensor)
    {
        if (_rented is not null)
            DenseBuffers.Unpack(_rented, tensor, _layout, _format);
    }

    public void Dispose()
    {
        if (_rented is not null)
            ArrayPool<TData>.Shared.Return(_rented);
    }
}

/// <summary>What <see cref="DenseInput{TData}"/>, <see cref="DenseOutput{TData}"/> and new tensors share.</summary>
internal static class DenseBuffers
{
    /// <summary>Ranks whose strides the stack may hold; there is no limit to ranks.</summary>
    private const int FewDimensions = 16;

    internal static TData[] Rent<TData>(ReadOnlySpan<nint> lengths, nint elements, string name)
    {
        CheckArrayLength(lengths, elements, name);
        return ArrayPool<TData>.Shared.Rent((int)elements);
    }

    /// <summary>A copy in a dense format. Not part of its callers, which would clear room for its tensor spans at every call.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static TData[] Pack<TData>(in ReadOnlyTensorSpan<TData> tensor, in DataLayout layout, MemoryFormat format, string name)
    {
        TData[] rented = Rent<TData>(tensor.Lengths, layout.Elements, name);
        tensor.CopyTo(View(rented, tensor.Lengths, layout, format));
        return rented;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Unpack<TData>(TData[] packed, in TensorSpan<TData> tensor, in DataLayout layout, MemoryFormat format) =>
        ((ReadOnlyTensorSpan<TData>)View(packed, tensor.Lengths, layout, format)).CopyTo(tensor);

    private static TensorSpan<TData> View<TData>(
        TData[] memory, ReadOnlySpan<nint> lengths, in DataLayout layout, MemoryFormat format)
    {
        Span<nint> strides = lengths.Length <= FewDimensions ? stackalloc nint[lengths.Length] : new nint[lengths.Length];
        DataLayout.DenseStrides(lengths, format, layout.Axis, strides);
        return new TensorSpan<TData>(memory.AsSpan(0, (int)layout.Elements), lengths, strides);
    }

    /// <summary>
    /// A tensor like an input: its lengths, and its format if that is dense, which is named after the dimension <paramref name="axis"/>.
    /// The elements are not initialized; large ones are in recycled memory.
    /// </summary>
    internal static Tensor<TData> NewLike<TData>(Tensor<TData> tensor, int axis, string name)
        where TData : unmanaged
    {
        ReadOnlySpan<nint> lengths = tensor.Lengths;
        DataLayout layout = DataLayout.Of(lengths, tensor.Strides, axis);
        CheckArrayLength(lengths, layout.Elements, name);
        bool large = (long)layout.Elements * Unsafe.SizeOf<TData>() >= ArrayRecycler.LeastBytes;
        if (layout.DenseFormat == MemoryFormat.Contiguous && !large)
            return Tensor.CreateFromShapeUninitialized<TData>(lengths);

        Span<nint> strides = lengths.Length <= FewDimensions ? stackalloc nint[lengths.Length] : new nint[lengths.Length];
        DataLayout.DenseStrides(lengths, layout.DenseFormat, axis, strides);
        return large
            ? Tensor.Create(ArrayRecycler.Shared.Take<TData>((int)layout.Elements), lengths, strides)
            : Tensor.CreateFromShapeUninitialized<TData>(lengths, strides);
    }

    private static void CheckArrayLength(ReadOnlySpan<nint> lengths, nint elements, string name)
    {
        if (elements > Array.MaxLength)
        {
            throw new ArgumentException($"{name} of size {TensorSpans.Size(lengths)} has {elements} elements; expected at most "
                + $"{Array.MaxLength} where an array must hold them. Larger tensors need the span overloads and dense memory.", name);
        }
    }
}
