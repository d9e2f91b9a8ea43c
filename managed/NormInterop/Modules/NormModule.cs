using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;
using NormInterop.State;

namespace NormInterop;

/// <summary>A normalization layer: its parameters, its mode, and its forward and backward passes.</summary>
/// <remarks>
/// <para>Lengths of tensors are in PyTorch's order, (N, C, ...). The strides say how they lie in memory: dense row-major is read
/// as it is, and so is dense with the channels innermost ("channels last") by layers that have channels; outputs get the format of
/// the input. Other strides cost a packed copy.</para>
/// <para>A module may be used from several threads at once if each brings its own <see cref="NormContext{T}"/>, it is in evaluation
/// mode, and nobody changes it meanwhile. Training changes running buffers and gradients: one thread at a time.</para>
/// <para>A call that throws changes nothing: no output, buffer, gradient, counter or context.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float, for data of type float, Half or BFloat16, or double, for
/// data of type double.</typeparam>
public abstract partial class NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected NormModule()
    {
    }

    /// <summary>The context of the forms that are given none.</summary>
    private protected NormContext<T> OwnContext { get; } = new();

    /// <summary>The scale, gamma in formulas; null where the layer has none.</summary>
    public Parameter<T>? Weight { get; private protected init; }

    /// <summary>The shift, beta in formulas; null where the layer has none.</summary>
    public Parameter<T>? Bias { get; private protected init; }

    /// <summary>Whether the module is in training mode. True at first.</summary>
    public bool IsTraining { get; private set; } = true;

    /// <summary>
    /// Threads that one call may use at most; 0, the default, for <see cref="NormRuntime.ThreadLimit"/>. Results do not depend on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 0 or above 1024.</exception>
    public int MaxThreads
    {
        get;
        set
        {
            Guard.ThreadCount(value, nameof(value));
            field = value;
        }
    }

    /// <summary>Chooses training mode (or, with false, evaluation mode) and returns this module.</summary>
    /// <param name="mode">True for training.</param>
    public virtual NormModule<T> Train(bool mode = true)
    {
        IsTraining = mode;
        return this;
    }

    /// <summary>Takes over the mode of another module. For constructors, which may not call <see cref="Train"/>: it is virtual.</summary>
    private protected void TakeMode(NormModule<T> other) => IsTraining = other.IsTraining;

    /// <summary>Chooses evaluation mode and returns this module.</summary>
    public virtual NormModule<T> Eval() => Train(false);

    /// <summary>Sets the gradients of all parameters to 0.</summary>
    public void ZeroGradients()
    {
        Weight?.ZeroGradient();
        Bias?.ZeroGradient();
    }

    /// <summary>Sets weights to 1 and biases to 0, gradients to 0, and statistics to what they are at first.</summary>
    public virtual void ResetParameters()
    {
        Weight?.Value.Fill(T.One);
        Bias?.Value.Fill(T.Zero);
        ZeroGradients();
    }

    /// <summary>
    /// Normalizes, and remembers in the module what <see cref="Backward{TData}(Tensor{TData})"/> needs: the input among it.
    /// </summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <param name="input">The input, of lengths that the layer takes. Must not change until the backward pass.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="ArgumentException">The input's rank or lengths do not fit this layer.</exception>
    /// <exception cref="NotSupportedException">TData is not a type that goes with parameters of type T.</exception>
    /// <exception cref="DllNotFoundException">The native library cannot be found; the message lists where it was sought.</exception>
    /// <exception cref="NormInteropException">The native library cannot serve this CPU, or ran out of memory.</exception>
    /// <remarks>The module keeps the input until its backward pass or its next forward, in evaluation mode as well. For inference
    /// on large data, or from several threads, use the overload that takes spans, without a context.</remarks>
    public Tensor<TData> Forward<TData>(Tensor<TData> input)
        where TData : unmanaged => Forward(input, OwnContext);

    /// <summary>Normalizes, and remembers in a context what the backward pass needs.</summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <param name="input">The input, of lengths that the layer takes. Must not change until the backward pass.</param>
    /// <param name="context">Overwritten; take another one while its backward is still to come.</param>
    /// <returns>A new tensor of the input's lengths and format.</returns>
    /// <exception cref="ArgumentException">The input's rank or lengths do not fit this layer.</exception>
    public Tensor<TData> Forward<TData>(Tensor<TData> input, NormContext<T> context)
        where TData : unmanaged
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(context);
        Guard.DataType<TData, T>();
        NormGeometry geometry = CheckInput(input.Lengths);
        Tensor<TData> output = DenseBuffers.NewLike(input, geometry.FormatAxis, nameof(input));
        ForwardCore(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), geometry, context);
        context.Owner = this;
        context.Input = input;
        return output;
    }

    /// <summary>Normalizes into memory of the caller. Allocates nothing for dense tensors of one format.</summary>
    /// <typeparam name="TData">Type of the data: float, Half or BFloat16 where T is float, double where T is double.</typeparam>
    /// <param name="input">The input, of lengths that the layer takes.</param>
    /// <param name="output">Same lengths. It may be exactly the input where no statistics come from the input: in evaluation mode
    /// with running buffers, and in <see cref="CaffeScale{T}"/>.</param>
    /// <param name="context">Overwritten with what the backward pass needs; null without one.</param>
    /// <exception cref="ArgumentException">Rank, lengths or strides do not fit, or the output shares memory with the input.</exception>
    public void Forward<TData>(in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, NormContext<T>? context = null)
        where TData : unmanaged
    {
        Guard.DataType<TData, T>();
        NormGeometry geometry = CheckInput(input.Lengths);
        ForwardCore(input, output, geometry, context);
        if (context is not null)
            context.Owner = this;
    }

    /// <summary>Gradient of the last forward, once. The gradient of a residual is left out.</summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output: its lengths, any format.</param>
    /// <returns>Gradient with respect to the input. The parameters' gradients have been added to.</returns>
    /// <exception cref="InvalidOperationException">There was no forward, or its backward has run.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public Tensor<TData> Backward<TData>(Tensor<TData> gradOutput)
        where TData : unmanaged => Backward(gradOutput, OwnContext);

    /// <summary>Gradient of the forward that filled the context, once. The gradient of a residual is left out.</summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output: its lengths, any format.</param>
    /// <param name="context">The context that the forward was given.</param>
    /// <returns>Gradient with respect to the input. The parameters' gradients have been added to.</returns>
    /// <exception cref="InvalidOperationException">The context is not of a forward of this module still without its backward.</exception>
    /// <exception cref="ArgumentException">The gradient's lengths are not those of the output.</exception>
    public Tensor<TData> Backward<TData>(Tensor<TData> gradOutput, NormContext<T> context)
        where TData : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradOutput);
        Tensor<TData> input = KeptInput<TData>(context);
        Tensor<TData> gradInput = DenseBuffers.NewLike(input, context.Geometry.FormatAxis, nameof(gradOutput));
        Backward(gradOutput.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), gradInput.AsTensorSpan(), context);
        return gradInput;
    }

    /// <summary>
    /// Gradient of the forward that filled the context, once, into memory of the caller. The gradient of a residual is left out.
    /// Allocates nothing for dense tensors of one format.
    /// </summary>
    /// <typeparam name="TData">Type of the data: that of the forward.</typeparam>
    /// <param name="gradOutput">Gradient with respect to the output.</param>
    /// <param name="input">The input of the forward, unchanged since.</param>
    /// <param name="gradInput">Receives the gradient with respect to the input. May be exactly one of the other two.</param>
    /// <param name="context">The context that the forward was given.</param>
    /// <exception cref="InvalidOperationException">The context is not of a forward of this module still without its backward.</exception>
    /// <exception cref="ArgumentException">Lengths differ from those of the forward, or gradInput shares memory in part.</exception>
    public void Backward<TData>(
        in ReadOnlyTensorSpan<TData> gradOutput, in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> gradInput, NormContext<T> context)
        where TData : unmanaged
    {
        CheckPending(context, typeof(TData));
        if (context.HasMask)
            ResidualCalls.Backward(gradOutput, input, gradInput, GradientsOf(context), context);
        else
            NormCalls.Backward(gradOutput, input, gradInput, GradientsOf(context), context);
        context.Clear();
    }

    /// <summary>Throws if the layer cannot take an input of these lengths, in the mode that it is in.</summary>
    /// <returns>What the lengths mean to the layer.</returns>
    private protected abstract NormGeometry CheckInput(ReadOnlySpan<nint> lengths);

    /// <summary>Forward for lengths that have been checked.</summary>
    private protected abstract void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context)
        where TData : unmanaged;

    /// <summary>What a state dict holds, in PyTorch's order: weight and bias, and what a layer adds to them.</summary>
    private protected virtual IEnumerable<StateSlot<T>> StateSlots()
    {
        if (Weight is not null)
            yield return StateSlot<T>.Of("weight", Weight.Value);
        if (Bias is not null)
            yield return StateSlot<T>.Of("bias", Bias.Value);
    }

    /// <summary>The arguments that every layer has: its parameters and its number of threads.</summary>
    private protected NormArguments<T> Arguments(NormKernel kernel, double eps, Activation activation = Activation.None) => new()
    {
        Kernel = kernel,
        Activation = activation,
        Weight = Weight is null ? default : Weight.Values,
        Bias = Bias is null ? default : Bias.Values,
        Eps = eps,
        MaxThreads = MaxThreads,
    };

    /// <summary>The name of the layer without the number of type parameters.</summary>
    private protected string LayerName => GetType().Name.Split('`')[0];

    /// <summary>What the backward of a context's forward takes: the parameters that it reads, and their gradients.</summary>
    private protected GradientArguments<T> GradientsOf(NormContext<T> context) => new()
    {
        Weight = Weight is null ? default : Weight.Values,
        Bias = Bias is null || context.Activation == Activation.None ? default : Bias.Values,
        WeightGradient = Weight is null ? default : Weight.Gradients,
        BiasGradient = Bias is null ? default : Bias.Gradients,
        MaxThreads = MaxThreads,
    };

    /// <summary>The input of the forward that a context awaits the backward of.</summary>
    private protected Tensor<TData> KeptInput<TData>(NormContext<T> context)
        where TData : unmanaged
    {
        CheckPending(context, typeof(TData));
        return context.Input as Tensor<TData> ?? throw new InvalidOperationException(
            "The forward of this context was given spans, which it cannot keep; call the Backward that takes spans.");
    }

    private protected void CheckPending(NormContext<T> context, Type dataType)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.IsPending)
            throw new InvalidOperationException("Backward needs a Forward before it, and each Forward has one Backward.");
        if (context.Owner != this)
            throw new InvalidOperationException("The context was filled by the forward of another module, or by a function.");
        if (context.DataType != dataType)
        {
            throw new ArgumentException(
                $"gradOutput is of type {dataType.Name}; expected {context.DataType?.Name}, the type of the forward's data.");
        }
    }
}
