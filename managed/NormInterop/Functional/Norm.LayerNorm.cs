using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

public static partial class Norm
{
    /// <summary>
    /// Layer normalization: y = (x - mean) / sqrt(var + eps) * weight + bias, with the mean and (biased) variance over the last
    /// dimensions, and a weight and a bias per element of those.
    /// </summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
    /// <param name="input">The input, of lengths that end in normalizedShape.</param>
    /// <param name="normalizedShape">The last lengths of the input: at least one, each at least 1.</param>
    /// <param name="weight">Of lengths normalizedShape, dense; null for 1.</param>
    /// <param name="bias">Of lengths normalizedShape, dense; null for 0.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="context">Overwritten with what <see cref="LayerNormBackward"/> needs, the input among it; null without one.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="ArgumentNullException">The input is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">eps is negative or NaN.</exception>
    /// <exception cref="ArgumentException">Lengths do not fit, or normalizedShape is empty or has a length below 1.</exception>
    /// <exception cref="NotSupportedException">TData is not a type that goes with parameters of type T.</exception>
    /// <remarks>Where neither weight, bias nor context is given, name the types: <c>LayerNorm&lt;float, float&gt;</c>.</remarks>
    public static Tensor<TData> LayerNorm<TData, T>(
        Tensor<TData> input,
        ReadOnlySpan<int> normalizedShape,
        Tensor<T>? weight = null,
        Tensor<T>? bias = null,
        double eps = 1e-5,
        NormContext<T>? context = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check<TData, T>(input, eps);
        ReadOnlySpan<nint> lengths = Shapes.Normalized(normalizedShape);
        NormGeometry geometry = Shapes.Rows(input.Lengths, lengths);
        NormArguments<T> arguments = new()
        {
            Kernel = NormKernel.RowStatistics,
            Weight = Guard.Parameter(weight, lengths, nameof(weight)),
            Bias = Guard.Parameter(bias, lengths, nameof(bias)),
            Eps = eps,
        };
        return Forward(nameof(LayerNorm), input, geometry, arguments, context);
    }

    /// <summary>Gradient of the <see cref="LayerNorm"/> call that filled the context, once.</summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <typeparam name="T">Type of the parameters and statistics.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output: its lengths, any format.</param>
    /// <param name="context">The context that the forward was given.</param>
    /// <param name="weight">The weight of the forward; null for 1.</param>
    /// <param name="weightGradient">Of the lengths of the normalized shape, dense; added to. Null if not wanted.</param>
    /// <param name="biasGradient">Of the lengths of the normalized shape, dense; added to. Null if not wanted.</param>
    /// <returns>Gradient with respect to the input.</returns>
    /// <exception cref="InvalidOperationException">The context is not that of such a call still without its backward.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public static Tensor<TData> LayerNormBackward<TData, T>(
        Tensor<TData> gradOutput,
        NormContext<T> context,
        Tensor<T>? weight = null,
        Tensor<T>? weightGradient = null,
        Tensor<T>? biasGradient = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Backward(nameof(LayerNorm), gradOutput, context, weight, weightGradient, biasGradient);
}
