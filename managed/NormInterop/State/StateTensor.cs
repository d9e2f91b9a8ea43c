using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NormInterop.Functional;
using NormInterop.State;

namespace NormInterop;

/// <summary>A tensor of a <see cref="StateDict"/>: type, shape, and elements in row-major order. It never changes.</summary>
/// <remarks>
/// The elements of a tensor from <see cref="StateDict.Open"/> stay in the file and are copied when asked for; once that dict is disposed,
/// asking throws an <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class StateTensor
{
    // Elements that are copied at once: the number of their bytes must fit an int.
    private const int ChunkElements = 1 << 20;

    private readonly nint[] _shape;

    internal StateTensor(StateDataType dataType, nint[] shape, StateBytes bytes)
    {
        DataType = dataType;
        _shape = shape;
        Bytes = bytes;
    }

    /// <summary>Type of the elements.</summary>
    public StateDataType DataType { get; }

    /// <summary>Lengths of the dimensions; none for a scalar.</summary>
    public ReadOnlySpan<nint> Shape => _shape;

    /// <summary>Number of bytes of all elements.</summary>
    public long ByteLength => Bytes.Length;

    /// <summary>The elements, little-endian.</summary>
    internal StateBytes Bytes { get; }

    private long ElementCount => ByteLength * 8 / DataType.Bits();

    /// <summary>Copies a tensor.</summary>
    /// <typeparam name="TData">Type of the elements: a number that <see cref="StateDataType"/> names.</typeparam>
    /// <param name="tensor">The tensor, with any strides.</param>
    /// <exception cref="NotSupportedException">No data type stands for TData.</exception>
    /// <exception cref="ArgumentException">The elements take more bytes than an array can hold, about 2^31.</exception>
    public static StateTensor FromTensor<TData>(Tensor<TData> tensor)
        where TData : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        StateDataType type = StateDataTypes.Of<TData>();
        byte[] bytes = NewArray(StateDataTypes.ByteLength(type, tensor.Lengths), tensor.Lengths, nameof(tensor));
        if (bytes.Length > 0)
            tensor.FlattenTo(MemoryMarshal.Cast<byte, TData>(bytes.AsSpan()));
        ToLittleEndian(bytes, Unsafe.SizeOf<TData>());
        return new StateTensor(type, tensor.Lengths.ToArray(), new ArrayBytes(bytes));
    }

    /// <summary>A tensor of shape [] with one element.</summary>
    /// <typeparam name="TData">Type of the element: a number that <see cref="StateDataType"/> names.</typeparam>
    /// <param name="value">The element.</param>
    /// <exception cref="NotSupportedException">No data type stands for TData.</exception>
    public static StateTensor FromScalar<TData>(TData value)
        where TData : unmanaged
    {
        StateDataType type = StateDataTypes.Of<TData>();
        byte[] bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<TData>(in value)).ToArray();
        ToLittleEndian(bytes, bytes.Length);
        return new StateTensor(type, [], new ArrayBytes(bytes));
    }

    /// <summary>Copies elements of any data type.</summary>
    /// <param name="dataType">Their type.</param>
    /// <param name="shape">Lengths of the dimensions; none for a scalar.</param>
    /// <param name="bytes">The elements in row-major order, little-endian.</param>
    /// <exception cref="ArgumentException">Type and shape take another number of bytes than there are.</exception>
    public static StateTensor FromBytes(StateDataType dataType, ReadOnlySpan<nint> shape, ReadOnlySpan<byte> bytes)
    {
        if (!Enum.IsDefined(dataType))
            throw new ArgumentOutOfRangeException(nameof(dataType), dataType, "Expected one of the enumeration's values.");
        foreach (nint length in shape)
        {
            if (length < 0)
                throw new ArgumentException($"Shape {TensorSpans.Size(shape)} has a negative length; expected at least 0.", nameof(shape));
        }

        if (StateDataTypes.ByteLength(dataType, shape) is not { } expected || expected != bytes.Length)
        {
            throw new ArgumentException(
                $"Got {bytes.Length} bytes, which are not those of {dataType.Name()} elements of shape {TensorSpans.Size(shape)}.",
                nameof(bytes));
        }

        return new StateTensor(dataType, shape.ToArray(), new ArrayBytes(bytes.ToArray()));
    }

    /// <summary>The elements as a new dense tensor; of shape [1] where this one is of shape [], which a Tensor cannot have.</summary>
    /// <typeparam name="TData">The .NET type of <see cref="DataType"/>; there is no conversion.</typeparam>
    /// <exception cref="InvalidOperationException">The elements are of another type, or more than an array can hold.</exception>
    /// <exception cref="ObjectDisposedException">The file that holds the elements has been closed.</exception>
    public Tensor<TData> ToTensor<TData>()
        where TData : unmanaged
    {
        CheckType<TData>();
        TData[] elements = ReadAll<TData>();
        return elements.Length == 0 ? Tensor.CreateFromShape<TData>(Shape) : Tensor.Create(elements, _shape.Length == 0 ? [1] : Shape);
    }

    /// <summary>The only element.</summary>
    /// <typeparam name="TData">The .NET type of <see cref="DataType"/>; there is no conversion.</typeparam>
    /// <exception cref="InvalidOperationException">The elements are of another type, or not one.</exception>
    /// <exception cref="ObjectDisposedException">The file that holds the element has been closed.</exception>
    public TData ToScalar<TData>()
        where TData : unmanaged
    {
        CheckType<TData>();
        if (ElementCount != 1)
            throw new InvalidOperationException($"A tensor of shape {TensorSpans.Size(Shape)} has {ElementCount} elements; expected 1.");
        return ReadAll<TData>()[0];
    }

    /// <summary>The elements as bytes, little-endian: a copy.</summary>
    /// <exception cref="InvalidOperationException">They are more than an array can hold.</exception>
    /// <exception cref="ObjectDisposedException">The file that holds the elements has been closed.</exception>
    public byte[] ToBytes()
    {
        CheckArrayLength(ByteLength);
        byte[] bytes = new byte[ByteLength];
        Bytes.Read(0, bytes);
        return bytes;
    }

    /// <summary>Copies part of the bytes of the elements, as large tensors need it.</summary>
    /// <param name="offset">The first byte to copy.</param>
    /// <param name="destination">Receives as many bytes as it has.</param>
    /// <exception cref="ArgumentOutOfRangeException">The tensor has not so many bytes.</exception>
    /// <exception cref="ObjectDisposedException">The file that holds the elements has been closed.</exception>
    public void CopyBytesTo(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > ByteLength - destination.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"Expected {destination.Length} bytes from there on in a tensor of {ByteLength} bytes.");
        }

        Bytes.Read(offset, destination);
    }

    /// <summary>Type and shape: "F32 [3, 4]".</summary>
    public override string ToString() => $"{DataType.Name()} {TensorSpans.Size(Shape)}";

    /// <summary>The elements of a floating type as another one, rounded to nearest; NaN and infinity are kept.</summary>
    internal TTarget[] ToArray<TTarget>()
        where TTarget : unmanaged, INumberBase<TTarget>
    {
        if (DataType == StateDataTypes.Of<TTarget>())
            return ReadAll<TTarget>();      // to the bit, also signaling NaNs
        return DataType switch
        {
            StateDataType.F16 => Converted<Half, TTarget>(),
            StateDataType.BF16 => Converted<BFloat16, TTarget>(),
            StateDataType.F32 => Converted<float, TTarget>(),
            StateDataType.F64 => Converted<double, TTarget>(),
            _ => throw new InvalidOperationException($"{this} is not of a floating type."),
        };
    }

    private TTarget[] Converted<TSource, TTarget>()
        where TSource : unmanaged, INumberBase<TSource>
        where TTarget : unmanaged, INumberBase<TTarget> => Array.ConvertAll(ReadAll<TSource>(), TTarget.CreateTruncating);

    private TData[] ReadAll<TData>()
        where TData : unmanaged
    {
        CheckArrayLength(ElementCount);
        TData[] elements = GC.AllocateUninitializedArray<TData>((int)ElementCount);
        for (int i = 0; i < elements.Length; i += ChunkElements)
        {
            Span<byte> chunk = MemoryMarshal.AsBytes(elements.AsSpan(i, Math.Min(ChunkElements, elements.Length - i)));
            Bytes.Read((long)i * Unsafe.SizeOf<TData>(), chunk);
            ToLittleEndian(chunk, Unsafe.SizeOf<TData>());
        }

        return elements;
    }

    private void CheckType<TData>()
    {
        StateDataType asked = StateDataTypes.Of<TData>();
        if (asked != DataType)
            throw new InvalidOperationException($"The elements are {DataType.Name()}; {typeof(TData).Name} reads {asked.Name()}.");
    }

    private static void CheckArrayLength(long length)
    {
        if (length > Array.MaxLength)
            throw new InvalidOperationException($"{length} elements do not fit an array, which holds at most {Array.MaxLength}.");
    }

    private static byte[] NewArray(long? byteLength, ReadOnlySpan<nint> shape, string name)
    {
        if (byteLength is null || byteLength > Array.MaxLength)
        {
            throw new ArgumentException(
                $"The elements of a tensor of shape {TensorSpans.Size(shape)} take more than {Array.MaxLength} bytes.", name);
        }

        return new byte[byteLength.Value];
    }

    // Both ways: swapping twice is swapping never.
    private static void ToLittleEndian(Span<byte> bytes, int elementSize)
    {
        if (BitConverter.IsLittleEndian)
            return;
        for (int i = 0; i < bytes.Length; i += elementSize)
            bytes.Slice(i, elementSize).Reverse();
    }
}
