using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Functional;

/// <summary>
/// Forward and backward with a residual, around those of <see cref="NormCalls"/>: the checks and the packing of one more tensor, and the
/// mask by which the backward knows the sum that nobody keeps.
/// </summary>
internal static unsafe class ResidualCalls
{
    /// <summary>As <see cref="NormCalls.Forward"/>, for arguments with the activation that follows the sum.</summary>
    internal static void Forward<TData, T>(
        in ReadOnlyTensorSpan<TData> input,
        in ReadOnlyTensorSpan<TData> residual,
        in TensorSpan<TData> output,
        in NormGeometry geometry,
        in NormArguments<T> arguments,
        NormContext<T>? context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NormCalls.CheckSameLengths(residual.Lengths, nameof(residual), input.Lengths, "the input");
        NormCalls.CheckSameLengths(output.Lengths, nameof(output), input.Lengths, "the input");
        MemoryRange range = MemoryRange.Of(residual);
        Aliasing.Check(output, MemoryRange.Of(output), nameof(output), residual, range, nameof(residual), true, "");
        if (arguments.Kernel != NormKernel.RunningStatistics)
        {
            Aliasing.CheckApart<T>(arguments.RunningMean, "runningMean", range, nameof(residual));
            Aliasing.CheckApart<T>(arguments.RunningVar, "runningVar", range, nameof(residual));
        }

        int axis = geometry.FormatAxis;
        MemoryFormat format = geometry.ComputeFormat(DataLayout.Of(input.Lengths, input.Strides, axis));
        Span<byte> mask = default;
        if (context is not null)
            mask = context.ReserveMask(MaskBytes(input.Lengths, input.FlattenedLength));
        using DenseInput<TData> r = new(residual, DataLayout.Of(residual.Lengths, residual.Strides, axis), format, nameof(residual));
        fixed (TData* pr = r)
        fixed (byte* pmask = mask)
            NormCalls.Forward(input, output, geometry, arguments with { Residual = pr, Mask = pmask }, context);
    }

    /// <summary>Backward of a forward with a residual, whose gradient is not wanted.</summary>
    internal static void Backward<TData, T>(
        in ReadOnlyTensorSpan<TData> gradOutput,
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> gradInput,
        in GradientArguments<T> arguments,
        NormContext<T> context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NormCalls.CheckSameLengths(input.Lengths, nameof(input), context.Lengths, NormCalls.InputOfForward);
        fixed (byte* mask = Mask(context, input.FlattenedLength))
            NormCalls.Backward(gradOutput, input, gradInput, arguments with { Format = context.Format, Mask = mask }, context);
    }

    /// <summary>Backward of a forward with a residual, its gradient included.</summary>
    internal static void Backward<TData, T>(
        in ReadOnlyTensorSpan<TData> gradOutput,
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> gradInput,
        in TensorSpan<TData> gradResidual,
        in GradientArguments<T> arguments,
        NormContext<T> context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NormCalls.CheckSameLengths(input.Lengths, nameof(input), context.Lengths, NormCalls.InputOfForward);
        NormCalls.CheckSameLengths(gradOutput.Lengths, nameof(gradOutput), input.Lengths, NormCalls.InputOfForward);
        NormCalls.CheckSameLengths(gradInput.Lengths, nameof(gradInput), input.Lengths, NormCalls.InputOfForward);
        NormCalls.CheckSameLengths(gradResidual.Lengths, nameof(gradResidual), input.Lengths, NormCalls.InputOfForward);
        Aliasing.CheckDistinct(gradResidual.Lengths, gradResidual.Strides, nameof(gradResidual));
        CheckApart(gradOutput, input, gradInput, gradResidual, arguments);
        ReadOnlySpan<byte> mask = Mask(context, input.FlattenedLength);
        MemoryFormat format = context.Format;
        DataLayout layout = DataLayout.Of(gradResidual.Lengths, gradResidual.Strides, context.Geometry.FormatAxis);
        using DenseOutput<TData> dr = new(gradResidual, layout, format, nameof(gradResidual));
        fixed (TData* pdr = dr)
        fixed (byte* pmask = mask)
        {
            GradientArguments<T> all = arguments with { Format = format, Mask = pmask, ResidualGradient = pdr };
            NormCalls.Backward(gradOutput, input, gradInput, all, context);
        }

        dr.Commit(gradResidual);
    }

    /// <summary>
    /// Bytes of a mask, a bit for each element. At least 1, also without data: to the native library, null says that there is none.
    /// </summary>
    internal static int MaskBytes(ReadOnlySpan<nint> lengths, nint elements)
    {
        nint bytes = (elements / 8) + (elements % 8 == 0 ? 0 : 1);
        if (bytes <= Array.MaxLength)
            return (int)Math.Max(bytes, 1);
        throw Guard.Refused($"input of size {TensorSpans.Size(lengths)} needs a mask of {bytes} bytes; expected at most {Array.MaxLength} "
            + "where a context keeps it for Backward.", "input");
    }

    /// <summary>The gradient of the residual may be exactly that of the output, and nothing else.</summary>
    private static void CheckApart<TData, T>(
        in ReadOnlyTensorSpan<TData> gradOutput,
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> gradInput,
        in TensorSpan<TData> gradResidual,
        in GradientArguments<T> arguments)
        where TData : unmanaged
        where T : unmanaged
    {
        const string name = nameof(gradResidual);
        MemoryRange range = MemoryRange.Of(gradResidual);
        Aliasing.Check(gradResidual, range, name, gradOutput, MemoryRange.Of(gradOutput), nameof(gradOutput), true, "");
        Aliasing.Check(gradResidual, range, name, input, MemoryRange.Of(input), nameof(input), false, "");
        Aliasing.Check(gradResidual, range, name, gradInput, MemoryRange.Of(gradInput), nameof(gradInput), false, "");
        Aliasing.CheckApart(arguments.Weight, "weight", range, name);
        Aliasing.CheckApart(arguments.Bias, "bias", range, name);
        Aliasing.CheckApart<T>(arguments.WeightGradient, "weightGradient", range, name);
        Aliasing.CheckApart<T>(arguments.BiasGradient, "biasGradient", range, name);
    }

    /// <summary>The mask of the forward, read once, and large enough for as many elements as the backward will ask it about.</summary>
    private static ReadOnlySpan<byte> Mask<T>(NormContext<T> context, nint elements)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ReadOnlySpan<byte> mask = context.Mask;
        return mask.Length > 0 && mask.Length * 8L >= elements ? mask : throw ContextSnapshot<T>.Changed();
    }
}
