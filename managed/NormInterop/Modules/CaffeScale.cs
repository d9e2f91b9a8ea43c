using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Caffe's Scale layer: y = x * weight + bias, where weight and bias have the lengths of some neighbouring dimensions of the input and
/// are repeated along all others.
/// </summary>
/// <remarks>
/// <para>Caffe's parameters: axis is the first of those dimensions, counted from the end where it is negative; num_axes is the rank of
/// the shape given here. So num_axes = -1, "to the end", is a shape that reaches to the input's last dimension, and num_axes = 0, a
/// single number for all elements, is the empty shape. bias_term is biasTerm.</para>
/// <para>There are no statistics: training and evaluation are the same, the output may be exactly the input (if its backward is still
/// given the input as it was), and inputs without elements are taken. Results do not depend on the number of threads or on the CPU,
/// to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters: float or double.</typeparam>
public sealed class CaffeScale<T> : NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int[] _shape;
    private readonly nint[] _lengths;

    // The layer is a normalization by mean 0 and variance 1, with eps 0.
    private readonly T[] _zeros;
    private readonly T[] _ones;

    /// <summary>Makes a layer in training mode, with weight 1 and bias 0.</summary>
    /// <param name="shape">The lengths that are scaled, each at least 1: [C] for one weight per channel. Empty for a single weight, which
    /// is a tensor of lengths [1].</param>
    /// <param name="axis">The input's dimension that the shape begins at; negative from the end, -1 for the last one.</param>
    /// <param name="biasTerm">Whether there is a bias.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentException">The shape has a length below 1, or more elements than an array can.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The shape has more dimensions than there are from a negative axis on, or no tensor has
    /// such an axis.</exception>
    public CaffeScale(ReadOnlySpan<int> shape, int axis = 1, bool biasTerm = false)
    {
        Guard.ParameterType<T>();
        _lengths = Shapes.Lengths(shape, nameof(shape));
        const int mostDimensions = 1 << 16;
        if (axis is < -mostDimensions or > mostDimensions)
        {
            throw new ArgumentOutOfRangeException(
                nameof(axis), axis, $"Expected an axis from -{mostDimensions} to {mostDimensions}; no tensor has more dimensions.");
        }

        if (axis < 0 && shape.Length > -axis)
        {
            throw new ArgumentOutOfRangeException(
                nameof(axis), axis, $"Expected an axis with {shape.Length} dimensions from there on, for the {shape.Length} of the shape.");
        }

        _shape = shape.ToArray();
        Axis = axis;
        ReadOnlySpan<nint> lengths = shape.IsEmpty ? [1] : _lengths;
        Weight = new Parameter<T>(lengths, T.One);
        if (biasTerm)
            Bias = new Parameter<T>(lengths, T.Zero);
        _zeros = new T[Weight.Values.Length];
        _ones = new T[Weight.Values.Length];
        Array.Fill(_ones, T.One);
    }

    /// <summary>The lengths that are scaled; empty for a single weight.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>The input's dimension that the shape begins at; negative from the end.</summary>
    public int Axis { get; }

    /// <summary>The number of dimensions that are scaled.</summary>
    public int NumAxes => _shape.Length;

    /// <inheritdoc/>
    public override CaffeScale<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override CaffeScale<T> Eval() => Train(false);

    /// <summary>The layer and its settings, in PyTorch's form.</summary>
    public override string ToString() => $"{LayerName}({Shapes.Tuple(_shape)}, axis={Axis}, bias_term={Bias is not null})";

    private protected override NormGeometry CheckInput(ReadOnlySpan<nint> lengths)
    {
        InputChecks.Rank(lengths, Axis < 0 ? -Axis : Math.Max(Axis + NumAxes, 1));
        int axis = Axis < 0 ? lengths.Length + Axis : Axis;
        if (!lengths.Slice(axis, NumAxes).SequenceEqual(_lengths))
        {
            throw Guard.Refused(
                $"Given a scale of {TensorSpans.Size(_lengths)} from axis {Axis}, expected input with these lengths there, but got input "
                + $"of size {TensorSpans.Size(lengths)}", "input");
        }

        return NormGeometry.OfScale(lengths, axis, NumAxes);
    }

    private protected override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context)
    {
        NormArguments<T> arguments = Arguments(NormKernel.RunningStatistics, eps: 0) with { RunningMean = _zeros, RunningVar = _ones };
        NormCalls.Forward(input, output, geometry, arguments, context);
    }
}
