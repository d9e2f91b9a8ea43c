using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Tests.Support;

/// <summary>Tensors of any type from row-major numbers in double, and back. <see cref="Tensors"/> does the same for float alone.</summary>
internal static class Data
{
    /// <summary>The types of data that modules take; parameters are double for double, and float for the others.</summary>
    internal static readonly string[] Types = ["float", "double", "Half", "BFloat16"];

    /// <summary>A tensor with these elements in row-major order of the indices, whatever their order in memory.</summary>
    internal static Tensor<T> Make<T>(double[] values, int[] shape, Form form = Form.Contiguous)
        where T : unmanaged, INumberBase<T>
    {
        Assert.AreEqual(Tensors.Count(shape), values.Length, "the test's own values do not fit its shape");
        nint[] lengths = Tensors.Lengths(shape);
        if (values.Length == 0)
            return Tensor.CreateFromShape<T>(lengths);
        Tensor<T> rowMajor = Tensor.Create(Array.ConvertAll(values, T.CreateTruncating), lengths);
        if (form is Form.Contiguous)
            return rowMajor;
        Tensor<T> tensor = Poisoned<T>(shape, form);
        rowMajor.AsReadOnlyTensorSpan().CopyTo(tensor.AsTensorSpan());
        return tensor;
    }

    /// <summary>A tensor of NaN, in and around it.</summary>
    internal static Tensor<T> Poisoned<T>(int[] shape, Form form = Form.Contiguous)
        where T : unmanaged, INumberBase<T> => Tensors.Filled(shape, form, T.CreateTruncating(double.NaN));

    /// <summary>Elements in row-major order of the indices.</summary>
    internal static double[] Flat<T>(Tensor<T> tensor)
        where T : unmanaged, INumberBase<T>
    {
        T[] values = new T[tensor.FlattenedLength];
        if (values.Length > 0)
            tensor.FlattenTo(values);
        return Array.ConvertAll(values, double.CreateTruncating);
    }

    /// <summary>Sets all elements of a contiguous tensor.</summary>
    internal static void Fill<T>(Tensor<T> tensor, float[] values)
        where T : unmanaged, INumberBase<T>
    {
        Assert.AreEqual(values.Length, (int)tensor.FlattenedLength, "number of elements");
        Tensor.Create(Array.ConvertAll(values, T.CreateTruncating), tensor.Lengths).CopyTo(tensor);
    }

    internal static double[] Doubles(float[]? values) => values is null ? [] : Array.ConvertAll(values, value => (double)value);

    /// <summary>Numbers of a seed, of which at most 8 bits are significant: exact in all types for offsets up to 127.</summary>
    internal static double[] SixteenBit(ulong seed, int count, float offset = 0) => Array.ConvertAll(
        Values.Of(seed, count, offset), value => SixteenBitFormat.BFloat16.Round(Math.Round(value * 256) / 256));
}
