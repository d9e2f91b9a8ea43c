using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>Batch normalization over tensor spans: checks, packing where a format asks for it, and the native call.</summary>
internal static unsafe class BatchNormCalls
{
    /// <summary>
    /// Forward. Lengths (N, C, ...) and the sizes of the arguments' spans are known to fit; everything else is checked here. The
    /// context is filled only when the call succeeds.
    /// </summary>
    internal static void Forward<TData, T>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in BatchNormArguments<T> arguments, NormContext<T>? context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSameLengths(output.Lengths, nameof(output), input.Lengths, "the input");
        Aliasing.CheckDistinct(output.Lengths, output.Strides, nameof(output));
        bool batch = arguments.Statistics == StatisticsSource.Batch;
        const string reason = " where the statistics are the batch's, because Backward reads the input";
        Aliasing.Check(output, nameof(output), input, nameof(input), !batch, reason);
        CheckParametersApart(input, output, arguments);
        ChannelGeometry geometry = ChannelGeometry.Of(input.Lengths, input.Strides);
        CheckStatistics(geometry, input.Lengths, batch);
        int channels = checked((int)geometry.Channels);
        Native.EnsureLoaded();
        context?.Reserve(channels, arguments.Statistics);

        using DenseInput<TData> x = new(input, geometry, geometry.DenseFormat, nameof(input));
        using DenseOutput<TData> y = new(output, ChannelGeometry.Of(output.Lengths, output.Strides), geometry.DenseFormat, nameof(output));
        ChannelShape shape = geometry.ToNative(arguments.MaxThreads);
        Span<double> mean = context is null || !batch ? default : context.MeanRoom(channels);
        Span<double> invstd = context is null || !batch ? default : context.InvstdRoom(channels);
        fixed (TData* px = x, py = y)
        fixed (T* weight = arguments.Weight, bias = arguments.Bias, runningMean = arguments.RunningMean, runningVar = arguments.RunningVar)
        fixed (double* savedMean = mean, savedInvstd = invstd)
        {
            NativeCall.Check(batch
                ? NativeMethods.BatchnormForwardTraining(
                    &shape, px, weight, bias, arguments.Eps, arguments.Momentum, runningMean, runningVar, savedMean, savedInvstd, py)
                : NativeMethods.BatchnormForwardInference(&shape, px, weight, bias, arguments.Eps, runningMean, runningVar, py));
        }

        y.Commit();
        if (context is null)
            return;
        if (!batch)
            context.KeepRunning(arguments.RunningMean, arguments.RunningVar);
        context.Complete(arguments.Statistics, typeof(TData), input.Lengths, arguments.Eps);
    }

    /// <summary>
    /// Backward of the forward that filled the context. Adds to the parameter gradients; empty spans for those that are not wanted.
    /// </summary>
    internal static void Backward<TData, T>(
        in ReadOnlyTensorSpan<TData> gradOutput,
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> gradInput,
        ReadOnlySpan<T> weight,
        Span<T> weightGradient,
        Span<T> biasGradient,
        int maxThreads,
        NormContext<T> context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string expected = "the input of the forward";
        CheckSameLengths(gradOutput.Lengths, nameof(gradOutput), context.Lengths, expected);
        CheckSameLengths(input.Lengths, nameof(input), context.Lengths, expected);
        CheckSameLengths(gradInput.Lengths, nameof(gradInput), context.Lengths, expected);
        Aliasing.CheckDistinct(gradInput.Lengths, gradInput.Strides, nameof(gradInput));
        Aliasing.Check(gradInput, nameof(gradInput), gradOutput, nameof(gradOutput), true, "");
        Aliasing.Check(gradInput, nameof(gradInput), input, nameof(input), true, "");
        CheckGradientsApart<TData, T>(input, nameof(input), weightGradient, biasGradient);
        CheckGradientsApart<TData, T>(gradOutput, nameof(gradOutput), weightGradient, biasGradient);
        CheckGradientsApart<TData, T>(gradInput, nameof(gradInput), weightGradient, biasGradient);
        Aliasing.CheckApart(weight, nameof(weight), (ReadOnlyTensorSpan<TData>)gradInput, nameof(gradInput));
        ChannelGeometry geometry = ChannelGeometry.Of(input.Lengths, input.Strides);
        MemoryFormat format = geometry.DenseFormat;
        Native.EnsureLoaded();

        using DenseInput<TData> x = new(input, geometry, format, nameof(input));
        ChannelGeometry outputGeometry = ChannelGeometry.Of(gradOutput.Lengths, gradOutput.Strides);
        using DenseInput<TData> dy = new(gradOutput, outputGeometry, format, nameof(gradOutput));
        using DenseOutput<TData> dx = new(gradInput, ChannelGeometry.Of(gradInput.Lengths, gradInput.Strides), format, nameof(gradInput));
        ChannelShape shape = geometry.ToNative(maxThreads);
        const int accumulate = (int)GradientMode.Accumulate;
        fixed (TData* px = x, pdy = dy, pdx = dx)
        fixed (T* gamma = weight, dgamma = weightGradient, dbeta = biasGradient)
        {
            if (context.Statistics == StatisticsSource.Batch)
            {
                fixed (double* mean = context.Mean, invstd = context.Invstd)
                {
                    NativeCall.Check(NativeMethods.BatchnormBackwardTraining(
                        &shape, pdy, px, gamma, mean, invstd, accumulate, pdx, dgamma, dbeta));
                }
            }
            else
            {
                fixed (T* mean = context.RunningMean, var = context.RunningVar)
                {
                    NativeCall.Check(NativeMethods.BatchnormBackwardInference(
                        &shape, pdy, px, gamma, context.Eps, mean, var, accumulate, pdx, dgamma, dbeta));
                }
            }
        }

        dx.Commit();
    }

    /// <summary>The statistics of a channel need values, and in training more than one.</summary>
    internal static void CheckStatistics(in ChannelGeometry geometry, ReadOnlySpan<nint> lengths, bool batchStatistics)
    {
        if (geometry.Batch == 0)
            return;
        if (geometry.Spatial == 0)
            throw Guard.Refused($"Expected at least 1 value per channel, got input size {TensorSpans.Size(lengths)}.", "input");
        if (batchStatistics && geometry.ValuesPerChannel == 1)
        {
            throw Guard.Refused(
                $"Expected more than 1 value per channel when training, got input size {TensorSpans.Size(lengths)}.", "input");
        }
    }

    private static void CheckParametersApart<TData, T>(
        in ReadOnlyTensorSpan<TData> input, in ReadOnlyTensorSpan<TData> output, in BatchNormArguments<T> arguments)
    {
        if (arguments.Statistics == StatisticsSource.Batch)
        {
            Aliasing.CheckApart(arguments.RunningMean, "runningMean", input, nameof(input));
            Aliasing.CheckApart(arguments.RunningVar, "runningVar", input, nameof(input));
        }

        Aliasing.CheckApart(arguments.RunningMean, "runningMean", output, nameof(output));
        Aliasing.CheckApart(arguments.RunningVar, "runningVar", output, nameof(output));
        Aliasing.CheckApart(arguments.Weight, "weight", output, nameof(output));
        Aliasing.CheckApart(arguments.Bias, "bias", output, nameof(output));
    }

    private static void CheckGradientsApart<TData, T>(
        in ReadOnlyTensorSpan<TData> tensor, string name, ReadOnlySpan<T> weightGradient, ReadOnlySpan<T> biasGradient)
    {
        Aliasing.CheckApart(weightGradient, nameof(weightGradient), tensor, name);
        Aliasing.CheckApart(biasGradient, nameof(biasGradient), tensor, name);
    }

    private static void CheckSameLengths(ReadOnlySpan<nint> lengths, string name, ReadOnlySpan<nint> expected, string whose)
    {
        if (!lengths.SequenceEqual(expected))
        {
            throw new ArgumentException(
                $"{name} has size {TensorSpans.Size(lengths)}; expected {TensorSpans.Size(expected)}, the size of {whose}.", name);
        }
    }
}
