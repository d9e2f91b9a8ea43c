using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>A learned tensor and the gradient that backward passes accumulate for it.</summary>
/// <typeparam name="T">Type of the elements: float or double.</typeparam>
public sealed class Parameter<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    internal Parameter(ReadOnlySpan<nint> lengths, T initial)
    {
        Value = Tensor.CreateFromShape<T>(lengths);
        Value.Fill(initial);
        Gradient = Tensor.CreateFromShape<T>(lengths);
    }

    /// <summary>The current value, contiguous, of any rank. An optimizer changes its elements in place.</summary>
    public Tensor<T> Value { get; }

    /// <summary>Sum of the gradients of all backward passes since the last <see cref="ZeroGradient"/>; same shape as the value.</summary>
    public Tensor<T> Gradient { get; }

    internal Span<T> Values => Value.DenseSpan();

    internal Span<T> Gradients => Gradient.DenseSpan();

    /// <summary>Sets the gradient to 0.</summary>
    public void ZeroGradient() => Gradient.Clear();
}
