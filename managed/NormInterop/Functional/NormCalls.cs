using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>
/// Forward and backward of every family over tensor spans: checks of what the families share, packing where a format asks for it, and
/// the native call.
/// </summary>
internal static unsafe class NormCalls
{
    /// <summary>
    /// Forward. The lengths of the input and the sizes of the arguments' spans are known to fit; everything else is checked here. The
    /// context is filled only when the call succeeds.
    /// </summary>
    internal static void Forward<TData, T>(
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> output,
        in NormGeometry geometry,
        in NormArguments<T> arguments,
        NormContext<T>? context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSameLengths(output.Lengths, nameof(output), input.Lengths, "the input");
        Aliasing.CheckDistinct(output.Lengths, output.Strides, nameof(output));
        bool given = arguments.Kernel == NormKernel.RunningStatistics;
        const string reason = " where the statistics come from the input, because Backward reads the input";
        Aliasing.Check(output, nameof(output), input, nameof(input), given, reason);
        CheckParametersApart(input, output, arguments);
        DataLayout layout = DataLayout.Of(input.Lengths, input.Strides, geometry.FormatAxis);
        MemoryFormat format = geometry.ComputeFormat(layout);
        Native.EnsureLoaded();

        using DenseInput<TData> x = new(input, layout, format, nameof(input));
        DataLayout outputLayout = DataLayout.Of(output.Lengths, output.Strides, geometry.FormatAxis);
        using DenseOutput<TData> y = new(output, outputLayout, format, nameof(output));
        int saved = context is null ? 0 : CheckStatistics(arguments.Kernel, geometry, input.Lengths);
        context?.Reserve(arguments.Kernel, saved);
        Span<double> savedMean = context is null ? default : context.MeanRoom(arguments.Kernel, saved);
        Span<double> savedInvstd = context is null ? default : context.InvstdRoom(arguments.Kernel, saved);
        fixed (TData* px = x, py = y)
        fixed (T* weight = arguments.Weight, bias = arguments.Bias, runningMean = arguments.RunningMean, runningVar = arguments.RunningVar)
        fixed (double* mean = savedMean, invstd = savedInvstd, exactMean = arguments.ExactMean, exactInvstd = arguments.ExactInvstd)
        {
            ForwardPointers pointers = new()
            {
                X = px,
                Y = py,
                Weight = weight,
                Bias = bias,
                RunningMean = runningMean,
                RunningVar = runningVar,
                SavedMean = mean,
                SavedInvstd = invstd,
                ExactMean = exactMean,
                ExactInvstd = exactInvstd,
            };
            NativeCall.Check(NormKernels.Forward<TData, T>(geometry, format, arguments, pointers));
        }

        y.Commit();
        if (context is null)
            return;
        if (given)
            context.KeepRunning(arguments.RunningMean, arguments.RunningVar);
        context.Complete(arguments.Kernel, typeof(TData), input.Lengths, geometry, arguments.Eps);
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
        ContextSnapshot<T> saved = context.Snapshot();
        saved.Check(input.Lengths, weight.Length, weightGradient.Length, biasGradient.Length);
        NormGeometry geometry = saved.Geometry;
        int axis = geometry.FormatAxis;
        DataLayout layout = DataLayout.Of(input.Lengths, input.Strides, axis);
        MemoryFormat format = geometry.ComputeFormat(layout);
        Native.EnsureLoaded();

        using DenseInput<TData> x = new(input, layout, format, nameof(input));
        using DenseInput<TData> dy = new(
            gradOutput, DataLayout.Of(gradOutput.Lengths, gradOutput.Strides, axis), format, nameof(gradOutput));
        using DenseOutput<TData> dx = new(gradInput, DataLayout.Of(gradInput.Lengths, gradInput.Strides, axis), format, nameof(gradInput));
        fixed (TData* px = x, pdy = dy, pdx = dx)
        fixed (T* gamma = weight, dgamma = weightGradient, dbeta = biasGradient)
        fixed (T* runningMean = saved.RunningMean, runningVar = saved.RunningVar)
        fixed (double* mean = saved.Mean, invstd = saved.Invstd)
        {
            BackwardPointers pointers = new()
            {
                Dy = pdy,
                X = px,
                Dx = pdx,
                Weight = gamma,
                Dweight = dgamma,
                Dbias = dbeta,
                RunningMean = runningMean,
                RunningVar = runningVar,
                SavedMean = mean,
                SavedInvstd = invstd,
            };
            NativeCall.Check(NormKernels.Backward<TData>(saved.Kernel, geometry, format, saved.Eps, maxThreads, pointers));
        }

        dx.Commit();
    }

    /// <summary>
    /// The number of statistics of each kind that the context will hold. At least 1, also without data: to the native library, null
    /// says that statistics are not wanted.
    /// </summary>
    private static int CheckStatistics(NormKernel kernel, in NormGeometry geometry, ReadOnlySpan<nint> lengths)
    {
        nint count = NormKernels.SavedStatistics(kernel, geometry);
        if (count <= Array.MaxLength)
            return (int)Math.Max(count, 1);
        throw Guard.Refused($"input of size {TensorSpans.Size(lengths)} has {count} statistics to save; expected at most "
            + $"{Array.MaxLength} where a context keeps them for Backward.", "input");
    }

    private static void CheckParametersApart<TData, T>(
        in ReadOnlyTensorSpan<TData> input, in ReadOnlyTensorSpan<TData> output, in NormArguments<T> arguments)
    {
        if (arguments.Kernel != NormKernel.RunningStatistics)
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
