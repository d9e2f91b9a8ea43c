using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Tests.Support;

/// <summary>The functions of <see cref="Norm"/> by name, for tests that run over all of them. GroupNorm has two groups.</summary>
internal static class FunctionCall
{
    internal const int Groups = 2;

    internal static readonly string[] Names = ["BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RmsNorm"];

    /// <summary>The lengths of weight and bias: the last dimension of LayerNorm and RmsNorm, the channels of the others.</summary>
    internal static int[] Parameters(string function, int[] shape) => function is "LayerNorm" or "RmsNorm" ? [shape[^1]] : [shape[1]];

    internal static ModuleSettings Settings(string function, int[] shape, double eps) => new()
    {
        Channels = shape[1],
        Groups = Groups,
        Shape = Parameters(function, shape),
        Eps = eps,
        Tracking = false,
    };

    /// <summary>The module type that computes the same on inputs (N, C, L).</summary>
    internal static string Layer(string function) => function switch
    {
        "BatchNorm" or "InstanceNorm" => $"{function}1d",
        "RmsNorm" => "RMSNorm",
        _ => function,
    };

    /// <summary>With the statistics of the input.</summary>
    internal static Tensor<TData> Forward<TData, T>(
        string function,
        Tensor<TData> x,
        NormContext<T>? context,
        Tensor<T>? weight = null,
        Tensor<T>? bias = null,
        double eps = 1e-5)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int last = (int)x.Lengths[^1];
        return function switch
        {
            "BatchNorm" => Norm.BatchNorm(x, null, null, weight, bias, training: true, eps: eps, context: context),
            "LayerNorm" => Norm.LayerNorm(x, [last], weight, bias, eps, context),
            "GroupNorm" => Norm.GroupNorm(x, Groups, weight, bias, eps, context),
            "InstanceNorm" => Norm.InstanceNorm(x, null, null, weight, bias, eps: eps, context: context),
            "RmsNorm" => Norm.RmsNorm(x, [last], weight, eps, context),
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, "Expected one of the names."),
        };
    }

    internal static Tensor<TData> Backward<TData, T>(
        string function,
        Tensor<TData> dy,
        NormContext<T> context,
        Tensor<T>? weight = null,
        Tensor<T>? weightGradient = null,
        Tensor<T>? biasGradient = null)
        where TData : unmanaged
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => function switch
        {
            "BatchNorm" => Norm.BatchNormBackward(dy, context, weight, weightGradient, biasGradient),
            "LayerNorm" => Norm.LayerNormBackward(dy, context, weight, weightGradient, biasGradient),
            "GroupNorm" => Norm.GroupNormBackward(dy, context, weight, weightGradient, biasGradient),
            "InstanceNorm" => Norm.InstanceNormBackward(dy, context, weight, weightGradient, biasGradient),
            "RmsNorm" => Norm.RmsNormBackward(dy, context, weight, weightGradient),
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, "Expected one of the names."),
        };
}
