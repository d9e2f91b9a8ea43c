using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace NormInterop.Functional;

/// <summary>Checks of arguments that several layers share. Every message names the value and what was expected.</summary>
internal static class Guard
{
    /// <summary>The most threads that the native library accepts.</summary>
    private const int MostThreads = 1024;

    /// <summary>An argument of the public method further up, refused here.</summary>
    internal static ArgumentException Refused(string message, string paramName) => new(message, paramName);

    internal static void ThreadCount(int value, string name)
    {
        if (value is < 0 or > MostThreads)
            throw new ArgumentOutOfRangeException(name, value, $"Expected 0 to {MostThreads} threads.");
    }

    internal static void Eps(double eps, string name)
    {
        if (!(eps >= 0))
            throw new ArgumentOutOfRangeException(name, eps, "eps must be a number that is at least 0.");
    }

    internal static void Positive(int value, string name)
    {
        if (value <= 0)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be greater than 0.");
    }

    /// <summary>Parameters: float for now.</summary>
    internal static void ParameterType<T>()
    {
        if (typeof(T) != typeof(float))
            throw new NotSupportedException($"Parameters of type {typeof(T).Name} are not supported; expected {nameof(Single)}.");
    }

    /// <summary>Data that parameters of type T go with: the same type for now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void DataType<TData, T>()
    {
        if (typeof(TData) != typeof(float) || typeof(T) != typeof(float))
            ThrowDataType(typeof(TData), typeof(T));
    }

    /// <summary>A parameter or buffer of a functional call: null, or dense with one element a channel.</summary>
    internal static Span<T> PerChannel<T>(Tensor<T>? tensor, nint channels, string name)
        where T : unmanaged, INumberBase<T>
    {
        if (tensor is null)
            return default;
        if (tensor.Rank != 1 || tensor.Lengths[0] != channels)
            throw new ArgumentException($"{name} should contain {channels} elements, got size {TensorSpans.Size(tensor.Lengths)}.", name);
        if (!tensor.IsDense)
            throw new ArgumentException($"{name} must be dense, got stride {tensor.Strides[0]}.", name);
        return tensor.DenseSpan();
    }

    private static void ThrowDataType(Type data, Type parameters) =>
        throw new NotSupportedException($"Data of type {data.Name} with parameters of type {parameters.Name} is not supported; "
            + $"expected {nameof(Single)} with {nameof(Single)}.");
}
