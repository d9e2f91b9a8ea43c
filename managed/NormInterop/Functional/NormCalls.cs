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
    /// <summary>What the tensors of a backward have the size of, as messages name it.</summary>
    internal const string InputOfForward = "the input of the forward";

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
        MemoryRange inputRange = MemoryRange.Of(input), outputRange = MemoryRange.Of(output);
        Aliasing.Check(output, outputRange, nameof(output), input, inputRange, nameof(input), given, reason);
        CheckParametersApart(inputRange, outputRange, arguments);
        DataLayout layout = DataLayout.Of(input.Lengths, input.Strides, geometry.FormatAxis);
        MemoryFormat format = geometry.ComputeFormat(layout);
        Native.EnsureLoaded();

        using DenseInput<TData> x = new(input, layout, format, nameof(input));
        DataLayout outputLayout = DataLayout.Of(output.Lengths, output.Strides, geometry.FormatAxis);
        using DenseOutput<TData> y = new(output, outputLayout, format, nameof(output));
        Span<double> savedMean = default, savedInvstd = default;
        context?.Reserve(
            arguments.Kernel, CheckStatistics(arguments.Kernel, geometry, input.Lengths), out savedMean, out savedInvstd);
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
            NativeCall.Check(
                arguments.Kernel == NormKernel.SyncStatistics ? SyncKernels.Forward<TData, T>(geometry, format, arguments, pointers)
                : arguments.Activation == Activation.None
                ? NormKernels.Forward<TData, T>(geometry, format, arguments, pointers)
                : FusedKernels.Forward<TData, T>(geometry, format, arguments, pointers));
        }

        y.Commit(output);
        if (context is null)
            return;
        if (given)
            context.KeepRunning(arguments.RunningMean, arguments.RunningVar);
        context.Complete(arguments, typeof(TData), input.Lengths, geometry, format);
    }

    /// <summary>
    /// Backward of the forward that filled the context. Adds to the parameter gradients; empty spans for those that are not wanted.
    /// </summary>
    internal static void Backward<TData, T>(
        in ReadOnlyTensorSpan<TData> gradOutput,
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> gradInput,
        in GradientArguments<T> arguments,
        NormContext<T> context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSameLengths(gradOutput.Lengths, nameof(gradOutput), context.Lengths, InputOfForward);
        CheckSameLengths(input.Lengths, nameof(input), context.Lengths, InputOfForward);
        CheckSameLengths(gradInput.Lengths, nameof(gradInput), context.Lengths, InputOfForward);
        Aliasing.CheckDistinct(gradInput.Lengths, gradInput.Strides, nameof(gradInput));
        MemoryRange dyRange = MemoryRange.Of(gradOutput), xRange = MemoryRange.Of(input), dxRange = MemoryRange.Of(gradInput);
        Aliasing.Check(gradInput, dxRange, nameof(gradInput), gradOutput, dyRange, nameof(gradOutput), true, "");
        Aliasing.Check(gradInput, dxRange, nameof(gradInput), input, xRange, nameof(input), true, "");
        CheckGradientsApart(xRange, nameof(input), arguments);
        CheckGradientsApart(dyRange, nameof(gradOutput), arguments);
        CheckGradientsApart(dxRange, nameof(gradInput), arguments);
        Aliasing.CheckApart(arguments.Weight, "weight", dxRange, nameof(gradInput));
        Aliasing.CheckApart(arguments.Bias, "bias", dxRange, nameof(gradInput));
        ContextSnapshot<T> saved = context.Snapshot();
        saved.Check(input.Lengths, arguments);
        NormGeometry geometry = saved.Geometry;
        int axis = geometry.FormatAxis;
        DataLayout layout = DataLayout.Of(input.Lengths, input.Strides, axis);
        MemoryFormat format = arguments.Mask is null ? geometry.ComputeFormat(layout) : arguments.Format;
        Native.EnsureLoaded();

        using DenseInput<TData> x = new(input, layout, format, nameof(input));
        using DenseInput<TData> dy = new(
            gradOutput, DataLayout.Of(gradOutput.Lengths, gradOutput.Strides, axis), format, nameof(gradOutput));
        using DenseOutput<TData> dx = new(gradInput, DataLayout.Of(gradInput.Lengths, gradInput.Strides, axis), format, nameof(gradInput));
        fixed (TData* px = x, pdy = dy, pdx = dx)
        fixed (T* gamma = arguments.Weight, beta = arguments.Bias, dgamma = arguments.WeightGradient, dbeta = arguments.BiasGradient)
        fixed (T* runningMean = saved.RunningMean, runningVar = saved.RunningVar)
        fixed (double* mean = saved.Mean, invstd = saved.Invstd)
        {
            BackwardPointers pointers = new()
            {
                Dy = pdy,
                X = px,
                Dx = pdx,
                Weight = gamma,
                Bias = beta,
                Dweight = dgamma,
                Dbias = dbeta,
                RunningMean = runningMean,
                RunningVar = runningVar,
                SavedMean = mean,
                SavedInvstd = invstd,
            };
            NativeCall.Check(
                saved.Kernel == NormKernel.SyncStatistics ? SyncKernels.Backward<TData, T>(saved, format, arguments, pointers)
                : saved.Activation == Activation.None
                ? NormKernels.Backward<TData>(saved.Kernel, geometry, format, saved.Eps, arguments.MaxThreads, pointers)
                : FusedKernels.Backward<TData, T>(saved, format, arguments, pointers));
        }

        dx.Commit(gradInput);
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

    private static void CheckParametersApart<T>(in MemoryRange input, in MemoryRange output, in NormArguments<T> arguments)
        where T : unmanaged
    {
        if (arguments.Kernel != NormKernel.RunningStatistics)
        {
            Aliasing.CheckApart<T>(arguments.RunningMean, "runningMean", input, nameof(input));
            Aliasing.CheckApart<T>(arguments.RunningVar, "runningVar", input, nameof(input));
        }

        Aliasing.CheckApart<T>(arguments.RunningMean, "runningMean", output, nameof(output));
        Aliasing.CheckApart<T>(arguments.RunningVar, "runningVar", output, nameof(output));
        Aliasing.CheckApart(arguments.Weight, "weight", output, nameof(output));
        Aliasing.CheckApart(arguments.Bias, "bias", output, nameof(output));
    }

    private static void CheckGradientsApart<T>(in MemoryRange tensor, string name, in GradientArguments<T> arguments)
        where T : unmanaged
    {
        Aliasing.CheckApart<T>(arguments.WeightGradient, "weightGradient", tensor, name);
        Aliasing.CheckApart<T>(arguments.BiasGradient, "biasGradient", tensor, name);
    }

    internal static void CheckSameLengths(ReadOnlySpan<nint> lengths, string name, ReadOnlySpan<nint> expected, string whose)
    {
        if (!lengths.SequenceEqual(expected))
            throw OtherLengths(lengths, name, expected, whose);
    }

    // In a method of its own: its message would make every call clear room for it.
    private static ArgumentException OtherLengths(ReadOnlySpan<nint> lengths, string name, ReadOnlySpan<nint> expected, string whose) =>
        new($"{name} has size {TensorSpans.Size(lengths)}; expected {TensorSpans.Size(expected)}, the size of {whose}.", name);
}
