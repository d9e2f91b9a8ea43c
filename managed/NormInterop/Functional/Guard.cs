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

    internal static void Defined(Activation value, string name)
    {
        if (value is < Activation.None or > Activation.SiLU)
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"Expected {nameof(Activation.None)}, {nameof(Activation.ReLU)} or {nameof(Activation.SiLU)}.");
        }
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

    /// <summary>Parameters and statistics are float or double.</summary>
    internal static void ParameterType<T>()
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            throw new NotSupportedException(
                $"Parameters of type {typeof(T).Name} are not supported; expected {nameof(Single)} or {nameof(Double)}.");
        }
    }

    /// <summary>Data that parameters of type T go with. To the JIT, a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void DataType<TData, T>()
    {
        bool fits = typeof(T) == typeof(double)
            ? typeof(TData) == typeof(double)
            : typeof(T) == typeof(float)
                && (typeof(TData) == typeof(float) || typeof(TData) == typeof(Half) || typeof(TData) == typeof(BFloat16));
        if (!fits)
            ThrowDataType(typeof(TData), typeof(T));
    }

    /// <summary>Neither running buffer, or both; both where they are what an input is normalized with.</summary>
    internal static void RunningBuffers<T>(Tensor<T>? runningMean, Tensor<T>? runningVar, bool required, string otherwise)
    {
        if ((runningMean is null) != (runningVar is null))
        {
            throw new ArgumentException(
                $"{(runningMean is null ? nameof(runningMean) : nameof(runningVar))} is null; expected both running buffers, or neither.");
        }

        if (required && runningMean is null)
            throw new ArgumentNullException(nameof(runningMean), $"Expected running_mean and running_var to be given {otherwise}.");
    }

    /// <summary>A parameter or buffer of a functional call: null, or contiguous with these lengths.</summary>
    internal static Span<T> Parameter<T>(Tensor<T>? tensor, ReadOnlySpan<nint> lengths, string name)
        where T : unmanaged
    {
        if (tensor is null)
            return default;
        if (!tensor.Lengths.SequenceEqual(lengths))
        {
            string expected = lengths.Length == 1 ? $"contain {lengths[0]} elements" : $"have size {TensorSpans.Size(lengths)}";
            throw new ArgumentException($"{name} should {expected}, got size {TensorSpans.Size(tensor.Lengths)}.", name);
        }

        if (!DataLayout.IsContiguous(tensor.Lengths, tensor.Strides))
        {
            string stride = lengths.Length == 1 ? $"stride {tensor.Strides[0]}" : $"strides {TensorSpans.Size(tensor.Strides)}";
            throw new ArgumentException($"{name} must be dense, got {stride}.", name);
        }

        return tensor.DenseSpan();
    }

    private static void ThrowDataType(Type data, Type parameters) =>
        throw new NotSupportedException($"Data of type {data.Name} with parameters of type {parameters.Name} is not supported; expected "
            + $"{nameof(Single)}, {nameof(Half)} or {nameof(BFloat16)} with {nameof(Single)}, or {nameof(Double)} with {nameof(Double)}.");
}
