using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

public static partial class Norm
{
    /// <summary>
    /// Group normalization: y = (x - mean) / sqrt(var + eps) * weight + bias, with the mean and (biased) variance of each group of
    /// C / G neighbouring channels of each sample, and a weight and a bias per channel.
    /// </summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
    /// <param name="input">The input, (N, C, ...), of rank 2 or more.</param>
    /// <param name="numGroups">G, the number of groups; C is a multiple of it.</param>
    /// <param name="weight">C elements, dense; null for 1.</param>
    /// <param name="bias">C elements, dense; null for 0.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="context">Overwritten with what <see cref="GroupNormBackward"/> needs, the input among it; null without one.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="ArgumentNullException">The input is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">eps is negative or NaN, or numGroups is below 1.</exception>
    /// <exception cref="ArgumentException">Rank or lengths do not fit, C is not a multiple of numGroups, or a single sample has one
    /// value per group.</exception>
    /// <exception cref="NotSupportedException">TData is not a type that goes with parameters of type T.</exception>
    /// <remarks>Where neither weight, bias nor context is given, name the types: <c>GroupNorm&lt;float, float&gt;</c>.</remarks>
    public static Tensor<TData> GroupNorm<TData, T>(
        Tensor<TData> input,
        int numGroups,
        Tensor<T>? weight = null,
        Tensor<T>? bias = null,
        double eps = 1e-5,
        NormContext<T>? context = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check<TData, T>(input, eps);
        Guard.Positive(numGroups, nameof(numGroups));
        InputChecks.Channels(input.Lengths);
        if (input.Lengths[1] % numGroups != 0)
        {
            throw new ArgumentException(
                $"Expected number of channels in input to be divisible by numGroups, but got input of size "
                + $"{TensorSpans.Size(input.Lengths)} and numGroups={numGroups}.",
                nameof(numGroups));
        }

        ReadOnlySpan<nint> channels = input.Lengths.Slice(1, 1);
        NormArguments<T> arguments = new()
        {
            Kernel = NormKernel.GroupStatistics,
            Weight = Guard.Parameter(weight, channels, nameof(weight)),
            Bias = Guard.Parameter(bias, channels, nameof(bias)),
            Eps = eps,
        };
        NormGeometry geometry = NormGeometry.OfChannels(input.Lengths) with { Groups = numGroups };
        InputChecks.ValuesPerGroup(geometry, input.Lengths);
        return Forward(nameof(GroupNorm), input, geometry, arguments, context);
    }

    /// <summary>Gradient of the <see cref="GroupNorm"/> call that filled the context, once.</summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <typeparam name="T">Type of the parameters and statistics.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output: its lengths, any format.</param>
    /// <param name="context">The context that the forward was given.</param>
    /// <param name="weight">The weight of the forward; null for 1.</param>
    /// <param name="weightGradient">C elements, dense; added to. Null if not wanted.</param>
    /// <param name="biasGradient">C elements, dense; added to. Null if not wanted.</param>
    /// <returns>Gradient with respect to the input.</returns>
    /// <exception cref="InvalidOperationException">The context is not that of such a call still without its backward.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public static Tensor<TData> GroupNormBackward<TData, T>(
        Tensor<TData> gradOutput,
        NormContext<T> context,
        Tensor<T>? weight = null,
        Tensor<T>? weightGradient = null,
        Tensor<T>? biasGradient = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Backward(nameof(GroupNorm), gradOutput, context, weight, weightGradient, biasGradient);
}
