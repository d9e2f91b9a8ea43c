using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

public static partial class Norm
{
    /// <summary>
    /// Batch normalization: y = (x - mean) / sqrt(var + eps) * weight + bias, per channel. With <paramref name="training"/> the
    /// statistics are those of the batch (biased variance), and running buffers that are given take them up (unbiased variance);
    /// without, they are the running buffers.
    /// </summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
    /// <param name="input">The input, (N, C, ...), of rank 2 or more.</param>
    /// <param name="runningMean">C elements, dense; required unless training.</param>
    /// <param name="runningVar">C elements, dense; required unless training.</param>
    /// <param name="weight">C elements, dense; null for 1.</param>
    /// <param name="bias">C elements, dense; null for 0.</param>
    /// <param name="training">Whether to use the statistics of the batch.</param>
    /// <param name="momentum">Weight of the new batch in the running buffers.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="context">Overwritten with what <see cref="BatchNormBackward"/> needs, the input among it; null without one.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="ArgumentNullException">The input is null, or a running buffer is where it is required.</exception>
    /// <exception cref="ArgumentOutOfRangeException">eps is negative or NaN.</exception>
    /// <exception cref="ArgumentException">Rank or lengths do not fit, or there is only one value per channel in training.</exception>
    /// <exception cref="NotSupportedException">TData is not a type that goes with parameters of type T.</exception>
    /// <remarks>Where runningMean, runningVar, weight and bias are all the literal null, name the types:
    /// <c>BatchNorm&lt;float, float&gt;</c>.</remarks>
    public static Tensor<TData> BatchNorm<TData, T>(
        Tensor<TData> input,
        Tensor<T>? runningMean,
        Tensor<T>? runningVar,
        Tensor<T>? weight = null,
        Tensor<T>? bias = null,
        bool training = false,
        double momentum = 0.1,
        double eps = 1e-5,
        NormContext<T>? context = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check<TData, T>(input, eps);
        InputChecks.Channels(input.Lengths);
        Guard.RunningBuffers(runningMean, runningVar, required: !training, "when not training");
        ReadOnlySpan<nint> channels = input.Lengths.Slice(1, 1);
        NormArguments<T> arguments = new()
        {
            Kernel = training ? NormKernel.BatchStatistics : NormKernel.RunningStatistics,
            Weight = Guard.Parameter(weight, channels, nameof(weight)),
            Bias = Guard.Parameter(bias, channels, nameof(bias)),
            RunningMean = Guard.Parameter(runningMean, channels, nameof(runningMean)),
            RunningVar = Guard.Parameter(runningVar, channels, nameof(runningVar)),
            Momentum = momentum,
            Eps = eps,
        };
        NormGeometry geometry = NormGeometry.OfChannels(input.Lengths);
        InputChecks.ValuesPerChannel(geometry, input.Lengths, least: training ? 2 : 1);
        return Forward(nameof(BatchNorm), input, geometry, arguments, context);
    }

    /// <summary>Gradient of the <see cref="BatchNorm"/> call that filled the context, once.</summary>
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
    public static Tensor<TData> BatchNormBackward<TData, T>(
        Tensor<TData> gradOutput,
        NormContext<T> context,
        Tensor<T>? weight = null,
        Tensor<T>? weightGradient = null,
        Tensor<T>? biasGradient = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Backward(nameof(BatchNorm), gradOutput, context, weight, weightGradient, biasGradient);
}
