using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>Normalization as functions without state of their own, in the parameter order of torch.nn.functional.</summary>
public static partial class Norm
{
    /// <summary>A forward for arguments that have been checked, into a new tensor. The context keeps the name of the function.</summary>
    private static Tensor<TData> Forward<TData, T>(
        string function, Tensor<TData> input, in NormGeometry geometry, in NormArguments<T> arguments, NormContext<T>? context)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<TData> output = DenseBuffers.NewLike(input, geometry.FormatAxis, nameof(input));
        NormCalls.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), geometry, arguments, context);
        if (context is not null)
        {
            context.Input = input;
            context.Owner = function;
        }

        return output;
    }

    /// <summary>The backward of a function. Weight and gradients are checked here.</summary>
    private static Tensor<TData> Backward<TData, T>(
        string function,
        Tensor<TData> gradOutput,
        NormContext<T> context,
        Tensor<T>? weight,
        Tensor<T>? weightGradient,
        Tensor<T>? biasGradient)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        ArgumentNullException.ThrowIfNull(context);
        if (!context.IsPending || context.Owner as string != function || context.Input is not Tensor<TData> input)
        {
            throw new InvalidOperationException(
                $"The context is not that of a Norm.{function} with data of type {typeof(TData).Name} that still awaits its backward.");
        }

        NormGeometry geometry = context.Geometry;
        ReadOnlySpan<nint> lengths = context.Lengths.Slice(geometry.Axis, geometry.Axes);
        Tensor<TData> gradInput = DenseBuffers.NewLike(input, geometry.FormatAxis, nameof(gradOutput));
        GradientArguments<T> arguments = new()
        {
            Weight = Guard.Parameter(weight, lengths, nameof(weight)),
            WeightGradient = Guard.Parameter(weightGradient, lengths, nameof(weightGradient)),
            BiasGradient = Guard.Parameter(biasGradient, lengths, nameof(biasGradient)),
        };
        NormCalls.Backward(
            gradOutput.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), gradInput.AsTensorSpan(), arguments, context);
        context.Clear();
        return gradInput;
    }

    /// <summary>The checks that come first in every forward.</summary>
    private static void Check<TData, T>(Tensor<TData> input, double eps)
    {
        ArgumentNullException.ThrowIfNull(input);
        Guard.DataType<TData, T>();
        Guard.Eps(eps, nameof(eps));
    }
}
