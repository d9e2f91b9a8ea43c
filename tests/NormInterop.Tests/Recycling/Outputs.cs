using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Tests.Recycling;

/// <summary>Outputs of the library, as its users get them.</summary>
internal static class Outputs
{
    private static readonly CaffeScale<float> s_single = new([]);
    private static readonly CaffeScale<double> s_double = new([]);

    /// <summary>The cheapest one: the input times 1, of any rank.</summary>
    internal static Tensor<TData> Like<TData>(Tensor<TData> input)
        where TData : unmanaged => typeof(TData) == typeof(double)
            ? s_double.Forward(input, new NormContext<double>())
            : s_single.Forward(input, new NormContext<float>());
}
