using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// What <see cref="BatchNorm{T}"/>, <see cref="InstanceNorm{T}"/> and <see cref="GroupNorm{T}"/> share: the activation that may follow,
/// y = activation(norm(x)), and the residual that may be added before it, y = relu(norm(x) + residual), in the same pass over memory.
/// </summary>
/// <remarks>
/// <para>The result has the bits of the separate steps, forward and backward; <see cref="NormInterop.Activation"/> says it in
/// formulas.</para>
/// <para>Between a forward and its backward, weight, bias and input must not change, in evaluation as in training: the backward of an
/// activation normalizes the input once more. With a residual the context keeps one bit for each element instead, as there the input
/// does not say enough; the residual itself may change.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public abstract class FusedNorm<T> : NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected FusedNorm()
    {
    }

    /// <summary>What follows the normalization; at first nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public Activation Activation
    {
        get;
        init
        {
            Guard.Defined(value, nameof(value));
            field = value;
        }
    }

    /// <summary>
    /// Normalizes, adds and activates, and remembers in the module what <see cref="Backward{TData}(Tensor{TData}, out Tensor{TData})"/>
    /// needs: the input and a bit for each element.
    /// </summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <param name="input">The input, of lengths that the layer takes. Must not change until the backward pass.</param>
    /// <param name="residual">What is added to the normalized input: its lengths, any format.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="InvalidOperationException">The activation of the layer is not ReLU.</exception>
    /// <exception cref="ArgumentException">Rank or lengths do not fit.</exception>
    public Tensor<TData> Forward<TData>(Tensor<TData> input, Tensor<TData> residual)
        where TData : unmanaged => Forward(input, residual, OwnContext);

    /// <summary>Normalizes, adds and activates, and remembers in a context what the backward pass needs.</summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <param name="input">The input, of lengths that the layer takes. Must not change until the backward pass.</param>
    /// <param name="residual">What is added to the normalized input: its lengths, any format.</param>
    /// <param name="context">Overwritten; take another one while its backward is still to come.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="InvalidOperationException">The activation of the layer is not ReLU.</exception>
    /// <exception cref="ArgumentException">Rank or lengths do not fit.</exception>
    public Tensor<TData> Forward<TData>(Tensor<TData> input, Tensor<TData> residual, NormContext<T> context)
        where TData : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(residual);
        ArgumentNullException.ThrowIfNull(context);
        Guard.DataType<TData, T>();
        CheckTakesResidual();
        NormGeometry geometry = CheckInput(input.Lengths);
        Tensor<TData> output = DenseBuffers.NewLike(input, geometry.FormatAxis, nameof(input));
        ForwardCore(input.AsReadOnlyTensorSpan(), residual.AsReadOnlyTensorSpan(), output.AsTensorSpan(), geometry, context);
        context.Owner = this;
        context.Input = input;
        return output;
    }

    // Declared once more, beside the overload with a residual: if that were alone in this class, C# would prefer it for a call with null
    // for the context.

    /// <inheritdoc cref="NormModule{T}.Forward{TData}(in ReadOnlyTensorSpan{TData}, in TensorSpan{TData}, NormContext{T})"/>
    public new void Forward<TData>(in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, NormContext<T>? context = null)
        where TData : unmanaged => base.Forward(input, output, context);

    /// <summary>Normalizes, adds and activates into memory of the caller. Allocates nothing for dense tensors of one format.</summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <param name="input">The input, of lengths that the layer takes.</param>
    /// <param name="residual">What is added to the normalized input: its lengths.</param>
    /// <param name="output">Same lengths. It may be exactly the residual, and exactly the input where that is allowed without a
    /// residual.</param>
    /// <param name="context">Overwritten with what the backward pass needs; null without one.</param>
    /// <exception cref="InvalidOperationException">The activation of the layer is not ReLU.</exception>
    /// <exception cref="ArgumentException">Rank, lengths or strides do not fit, or the output shares memory with the others.</exception>
    public void Forward<TData>(
        in ReadOnlyTensorSpan<TData> input,
        in ReadOnlyTensorSpan<TData> residual,
        in TensorSpan<TData> output,
        NormContext<T>? context = null)
        where TData : unmanaged
    {
        Guard.DataType<TData, T>();
        CheckTakesResidual();
        NormGeometry geometry = CheckInput(input.Lengths);
        ForwardCore(input, residual, output, geometry, context);
        if (context is not null)
            context.Owner = this;
    }

    /// <summary>Gradients of the last <see cref="Forward{TData}(Tensor{TData}, Tensor{TData})"/>, once.</summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output: its lengths, any format.</param>
    /// <param name="gradResidual">Gradient with respect to the residual, in the format of the input. Where it is not wanted, call the
    /// Backward without it.</param>
    /// <returns>Gradient with respect to the input. The parameters' gradients have been added to.</returns>
    /// <exception cref="InvalidOperationException">There was no forward, its backward has run, or it had no residual.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public Tensor<TData> Backward<TData>(Tensor<TData> gradOutput, out Tensor<TData> gradResidual)
        where TData : unmanaged => Backward(gradOutput, out gradResidual, OwnContext);

    /// <summary>Gradients of the forward with a residual that filled the context, once.</summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output: its lengths, any format.</param>
    /// <param name="gradResidual">Gradient with respect to the residual, in the format of the input. Where it is not wanted, call the
    /// Backward without it.</param>
    /// <param name="context">The context that the forward was given.</param>
    /// <returns>Gradient with respect to the input. The parameters' gradients have been added to.</returns>
    /// <exception cref="InvalidOperationException">The context is not of a forward of this module still without its backward, or that
    /// had no residual.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public Tensor<TData> Backward<TData>(Tensor<TData> gradOutput, out Tensor<TData> gradResidual, NormContext<T> context)
        where TData : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        Tensor<TData> input = KeptInput<TData>(context);
        CheckHadResidual(context);
        int axis = context.Geometry.FormatAxis;
        Tensor<TData> gradInput = DenseBuffers.NewLike(input, axis, nameof(gradOutput));
        Tensor<TData> gradient = DenseBuffers.NewLike(input, axis, nameof(gradOutput));
        Backward(
            gradOutput.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), gradInput.AsTensorSpan(), gradient.AsTensorSpan(), context);
        gradResidual = gradient;
        return gradInput;
    }

    /// <summary>
    /// Gradients of the forward with a residual that filled the context, once, into memory of the caller. Allocates nothing for dense
    /// tensors of one format.
    /// </summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output.</param>
    /// <param name="input">The input of the forward, unchanged since.</param>
    /// <param name="gradInput">Receives the gradient with respect to the input. May be exactly one of the other two.</param>
    /// <param name="gradResidual">Receives the gradient with respect to the residual. May be exactly gradOutput, if gradInput is
    /// not.</param>
    /// <param name="context">The context that the forward was given.</param>
    /// <exception cref="InvalidOperationException">The context is not of a forward of this module still without its backward, or that
    /// had no residual.</exception>
    /// <exception cref="ArgumentException">Lengths differ from those of the forward, or a gradient shares memory in part.</exception>
    public void Backward<TData>(
        in ReadOnlyTensorSpan<TData> gradOutput,
        in ReadOnlyTensorSpan<TData> input,
        in TensorSpan<TData> gradInput,
        in TensorSpan<TData> gradResidual,
        NormContext<T> context)
        where TData : unmanaged
    {
        CheckPending(context, typeof(TData));
        CheckHadResidual(context);
        ResidualCalls.Backward(gradOutput, input, gradInput, gradResidual, GradientsOf(context), context);
        context.Clear();
    }

    /// <summary>The activation at the end of a layer's settings; nothing where there is none, as in PyTorch.</summary>
    private protected string ActivationText => Activation == Activation.None ? "" : $", activation={Activation}";

    /// <summary>Forward with a residual, for lengths of the input that have been checked.</summary>
    private protected abstract void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input,
        in ReadOnlyTensorSpan<TData> residual,
        in TensorSpan<TData> output,
        in NormGeometry geometry,
        NormContext<T>? context)
        where TData : unmanaged;

    private void CheckTakesResidual()
    {
        if (Activation != Activation.ReLU)
        {
            throw new InvalidOperationException(
                $"A residual wants the activation {nameof(Activation.ReLU)}; that of this layer is {Activation}.");
        }
    }

    private static void CheckHadResidual(NormContext<T> context)
    {
        if (!context.HasMask)
            throw new InvalidOperationException("The forward of this context had no residual, and so there is no gradient of one.");
    }
}
