using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace NormInterop.Tests.Support;

/// <summary>Makes tensors in every form from row-major values, and reads them back.</summary>
internal static class Tensors
{
    /// <summary>What outputs hold before a call and what surrounds slices: a NaN that no computation produces.</summary>
    internal static readonly float Poison = BitConverter.UInt32BitsToSingle(0x7FC0_DEAD);

    internal static nint[] Lengths(params int[] shape) => Array.ConvertAll(shape, length => (nint)length);

    /// <summary>"2x3x5" as lengths: in the name of a test case a string reads better than an array.</summary>
    internal static int[] Shape(string lengths) => Array.ConvertAll(lengths.Split('x'), int.Parse);

    internal static int Count(int[] shape) => shape.Aggregate(1, (product, length) => product * length);

    /// <summary>A tensor with these elements in row-major order of the indices, whatever their order in memory.</summary>
    internal static Tensor<float> Make(float[] values, int[] shape, Form form = Form.Contiguous)
    {
        Assert.AreEqual(Count(shape), values.Length, "the test's own values do not fit its shape");
        Tensor<float> tensor = Poisoned(shape, form);
        if (values.Length > 0)
            Tensor.Create(values, Lengths(shape)).AsReadOnlyTensorSpan().CopyTo(tensor.AsTensorSpan());
        return tensor;
    }

    /// <summary>A tensor with the numbers of a seed, the same in every form.</summary>
    internal static Tensor<float> Random(ulong seed, int[] shape, Form form = Form.Contiguous, float offset = 0) =>
        Make(Values.Of(seed, Count(shape), offset), shape, form);

    /// <summary>A tensor of these lengths, filled with <see cref="Poison"/> together with what lies around it.</summary>
    internal static Tensor<float> Poisoned(int[] shape, Form form = Form.Contiguous) => Filled(shape, form, Poison);

    /// <summary>A tensor of these lengths, filled with one value together with what lies around it.</summary>
    internal static Tensor<T> Filled<T>(int[] shape, Form form, T value)
        where T : unmanaged
    {
        if (form is Form.Contiguous || Count(shape) == 0)
            return Dense(shape, Enumerable.Range(0, shape.Length), value);
        if (form is Form.ChannelsLast)
            return Dense(shape, ChannelsLastOrder(shape.Length), value);
        if (form is Form.Reversed)
            return Dense(shape, Enumerable.Range(0, shape.Length).Reverse(), value);

        // One element more on one side, two on the other: an index that is off by one anywhere meets poison.
        int[] larger = Array.ConvertAll(shape, length => length + 3);
        Tensor<T> whole = Filled(larger, form is Form.Sliced ? Form.Contiguous : Form.ChannelsLast, value);
        return whole.Slice([.. shape.Select(length => new NRange(1, length + 1))]);
    }

    /// <summary>Elements in row-major order of the indices.</summary>
    internal static float[] Flat(Tensor<float> tensor)
    {
        float[] values = new float[tensor.FlattenedLength];
        if (values.Length > 0)
            tensor.FlattenTo(values);
        return values;
    }

    /// <summary>The elements that lie around a slice are still poison; its own are numbers.</summary>
    internal static void AssertSurroundingsUntouched<T>(Tensor<T> slice, string name)
        where T : unmanaged, INumberBase<T>
    {
        int own = 0;
        foreach (T value in SpanTo(slice))
            own += T.IsNaN(value) ? 0 : 1;
        Assert.AreEqual((int)slice.FlattenedLength, own, $"{name}: elements other than poison, between its first and its last one");
    }

    /// <summary>The format of a tensor as the strides of its dimensions that are longer than 1; those of the others mean nothing.</summary>
    internal static string Strides<T>(Tensor<T> tensor)
    {
        nint[] lengths = tensor.Lengths.ToArray();
        return string.Join(", ", tensor.Strides.ToArray().Select((stride, i) => lengths[i] == 1 ? "any" : $"{stride}"));
    }

    /// <summary>The format that an input of this form has, or is packed into: where lengths are 1, forms fall together.</summary>
    internal static Form FormatOf(int[] shape, Form form)
    {
        string Of(Form one) => Strides(Poisoned(shape, one));
        bool last = Of(form) == Of(Form.ChannelsLast) && Of(form) != Of(Form.Contiguous);
        return last ? Form.ChannelsLast : Form.Contiguous;
    }

    private static IEnumerable<int> ChannelsLastOrder(int rank) =>
        rank < 2 ? Enumerable.Range(0, rank) : [0, .. Enumerable.Range(2, rank - 2), 1];

    // From the first element of a slice to its last one, with what lies between them.
    private static ReadOnlySpan<T> SpanTo<T>(Tensor<T> tensor)
    {
        if (tensor.FlattenedLength == 0)
            return [];

        nint last = 0;
        for (int i = 0; i < tensor.Rank; i++)
            last += (tensor.Lengths[i] - 1) * tensor.Strides[i];

        // Not the tensor's own GetPinnableReference, which gives the start of the memory that a slice was taken from.
        return MemoryMarshal.CreateReadOnlySpan(in tensor.AsReadOnlyTensorSpan().GetPinnableReference(), (int)last + 1);
    }

    /// <summary>Dimensions in this order, the outermost first.</summary>
    private static Tensor<T> Dense<T>(int[] shape, IEnumerable<int> order, T value)
        where T : unmanaged
    {
        int count = Count(shape);
        if (count == 0)
            return Tensor.CreateFromShape<T>(Lengths(shape));

        T[] memory = new T[count];
        memory.AsSpan().Fill(value);
        nint[] strides = new nint[shape.Length];
        nint stride = 1;
        foreach (int dimension in order.Reverse())
        {
            // System.Numerics.Tensors wants stride 0 for a dimension of length 1.
            strides[dimension] = shape[dimension] == 1 ? 0 : stride;
            stride *= shape[dimension];
        }

        return Tensor.Create(memory, Lengths(shape), strides);
    }
}
