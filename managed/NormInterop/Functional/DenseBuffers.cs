using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

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

        _rented = DenseBuffers.Rent<TData>(tensor.Lengths, layout.Elements, name);
        tensor.CopyTo(DenseBuffers.View(_rented, tensor.Lengths, layout, format));
        _reference = ref _rented[0];
    }

    /// <summary>The first element, for <c>fixed</c>.</summary>
    public ref TData GetPinnableReference() => ref _reference;

    public void Dispose() => DenseBuffers.Return(_rented);
}

/// <summary>An output in a dense format: the tensor's own memory, or room from the pool that <see cref="Commit"/> copies out.</summary>
internal readonly ref struct DenseOutput<TData>
    where TData : unmanaged
{
    private readonly ref TData _reference;
    private readonly TensorSpan<TData> _target;
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

        _target = tensor;
        _layout = layout;
        _format = format;
        _rented = DenseBuffers.Rent<TData>(tensor.Lengths, layout.Elements, name);
        _reference = ref _rented[0];
    }

    /// <summary>The first element, for <c>fixed</c>.</summary>
    public ref TData GetPinnableReference() => ref _reference;

    /// <summary>Brings the result to where the caller wants it.</summary>
    internal void Commit()
    {
        if (_rented is not null)
            ((ReadOnlyTensorSpan<TData>)DenseBuffers.View(_rented, _target.Lengths, _layout, _format)).CopyTo(_target);
    }

    public void Dispose() => DenseBuffers.Return(_rented);
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

    internal static void Return<TData>(TData[]? rented)
    {
        if (rented is not null)
            ArrayPool<TData>.Shared.Return(rented);
    }

    internal static TensorSpan<TData> View<TData>(
        TData[] memory, ReadOnlySpan<nint> lengths, in DataLayout layout, MemoryFormat format)
    {
        Span<nint> strides = lengths.Length <= FewDimensions ? stackalloc nint[lengths.Length] : new nint[lengths.Length];
        DataLayout.DenseStrides(lengths, format, layout.Axis, strides);
        return new TensorSpan<TData>(memory.AsSpan(0, (int)layout.Elements), lengths, strides);
    }

    /// <summary>
    /// A tensor like an input: its lengths, and its format if that is dense, which is named after the dimension <paramref name="axis"/>.
    /// The elements are not initialized.
    /// </summary>
    internal static Tensor<TData> NewLike<TData>(Tensor<TData> tensor, int axis, string name)
    {
        ReadOnlySpan<nint> lengths = tensor.Lengths;
        DataLayout layout = DataLayout.Of(lengths, tensor.Strides, axis);
        CheckArrayLength(lengths, layout.Elements, name);
        if (layout.Elements == 0)
            return Tensor.CreateFromShapeUninitialized<TData>(lengths);     // which takes no strides for an empty shape
        Span<nint> strides = lengths.Length <= FewDimensions ? stackalloc nint[lengths.Length] : new nint[lengths.Length];
        DataLayout.DenseStrides(lengths, layout.DenseFormat, axis, strides);
        return Tensor.CreateFromShapeUninitialized<TData>(lengths, strides);
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
