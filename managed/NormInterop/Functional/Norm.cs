using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>Normalization as functions without state of their own, in the parameter order of torch.nn.functional.</summary>
public static class Norm
{
    /// <summary>
    /// Batch normalization: y = (x - mean) / sqrt(var + eps) * weight + bias, per channel. With <paramref name="training"/> the
    /// statistics are those of the batch (biased variance), and running buffers that are given take them up (unbiased variance);
    /// without, they are the running buffers.
    /// </summary>
    /// <typeparam name="TData">Type of the data: float.</typeparam>
    /// <typeparam name="T">Type of the parameters and statistics: float.</typeparam>
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
        ArgumentNullException.ThrowIfNull(input);
        Guard.DataType<TData, T>();
        Guard.Eps(eps, nameof(eps));
        nint channels = CheckChannels(input.Lengths);
        if ((runningMean is null) != (runningVar is null))
        {
            throw new ArgumentException(
                $"{(runningMean is null ? nameof(runningMean) : nameof(runningVar))} is null; expected both running buffers, or neither.");
        }

        if (!training && runningMean is null)
            throw new ArgumentNullException(nameof(runningMean), "Expected running_mean and running_var to be given when not training.");
        BatchNormArguments<T> arguments = new()
        {
            Weight = Guard.PerChannel(weight, channels, nameof(weight)),
            Bias = Guard.PerChannel(bias, channels, nameof(bias)),
            RunningMean = Guard.PerChannel(runningMean, channels, nameof(runningMean)),
            RunningVar = Guard.PerChannel(runningVar, channels, nameof(runningVar)),
            Statistics = training ? StatisticsSource.Batch : StatisticsSource.Running,
            Momentum = momentum,
            Eps = eps,
        };
        Tensor<TData> output = DenseBuffers.NewLike<TData>(input.Lengths, ChannelGeometry.Of(input.Lengths, input.Strides), nameof(input));
        BatchNormCalls.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), arguments, context);
        if (context is not null)
            context.Input = input;
        return output;
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
    /// <exception cref="InvalidOperationException">The context is not that of a functional forward still without its backward.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public static Tensor<TData> BatchNormBackward<TData, T>(
        Tensor<TData> gradOutput,
        NormContext<T> context,
        Tensor<T>? weight = null,
        Tensor<T>? weightGradient = null,
        Tensor<T>? biasGradient = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        ArgumentNullException.ThrowIfNull(context);
        if (!context.IsPending || context.Owner is not null || context.Input is not Tensor<TData> input)
        {
            throw new InvalidOperationException(
                "The context is not that of a functional forward with data of this type that still awaits its backward.");
        }

        nint channels = context.Channels;
        Tensor<TData> gradInput = DenseBuffers.NewLike<TData>(
            input.Lengths, ChannelGeometry.Of(input.Lengths, input.Strides), nameof(gradOutput));
        BatchNormCalls.Backward(
            gradOutput.AsReadOnlyTensorSpan(),
            input.AsReadOnlyTensorSpan(),
            gradInput.AsTensorSpan(),
            Guard.PerChannel(weight, channels, nameof(weight)),
            Guard.PerChannel(weightGradient, channels, nameof(weightGradient)),
            Guard.PerChannel(biasGradient, channels, nameof(biasGradient)),
            0,
            context);
        context.Clear();
        return gradInput;
    }

    private static nint CheckChannels(ReadOnlySpan<nint> lengths)
    {
        if (lengths.Length < 2)
            throw Guard.Refused($"expected at least 2D input (got {lengths.Length}D input)", "input");
        if (lengths[1] is < 1 or > int.MaxValue)
            throw Guard.Refused($"expected 1 to {int.MaxValue} channels, got input size {TensorSpans.Size(lengths)}", "input");
        return lengths[1];
    }
}
