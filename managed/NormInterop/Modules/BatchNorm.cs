using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

/// <summary>
/// Batch normalization (Ioffe and Szegedy 2015): every channel is normalized over the batch and all positions,
/// y = (x - mean) / sqrt(var + eps) * weight + bias.
/// </summary>
/// <remarks>
/// <para>In training, mean and (biased) variance are those of the batch, and the running buffers take them up:
/// running = (1 - momentum) * running + momentum * batch, with the unbiased variance. In evaluation they are the running buffers,
/// or still the batch's where none are tracked.</para>
/// <para>Behaves as torch.nn.BatchNorm1d, 2d and 3d. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the parameters and statistics: float.</typeparam>
public abstract class BatchNorm<T> : NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected BatchNorm(int numFeatures, double eps, double? momentum, bool affine, bool trackRunningStats)
    {
        Guard.ParameterType<T>();
        Guard.Positive(numFeatures, nameof(numFeatures));
        Guard.Eps(eps, nameof(eps));
        NumFeatures = numFeatures;
        Eps = eps;
        Momentum = momentum;
        if (affine)
        {
            Weight = new Parameter<T>(numFeatures, T.One);
            Bias = new Parameter<T>(numFeatures, T.Zero);
        }

        if (trackRunningStats)
        {
            RunningMean = Tensor.CreateFromShape<T>([numFeatures]);
            RunningVar = Tensor.CreateFromShape<T>([numFeatures]);
            ResetRunningStats();
        }
    }

    /// <summary>C, the number of channels.</summary>
    public int NumFeatures { get; }

    /// <summary>What is added to the variance before the square root.</summary>
    public double Eps { get; }

    /// <summary>Weight of the new batch in the running buffers; null for the average of all batches so far.</summary>
    public double? Momentum { get; }

    /// <summary>Running mean, C elements, 0 at first; null when not tracked.</summary>
    public Tensor<T>? RunningMean { get; }

    /// <summary>Running variance (unbiased), C elements, 1 at first; null when not tracked.</summary>
    public Tensor<T>? RunningVar { get; }

    /// <summary>Training forwards so far; stays 0 when running statistics are not tracked.</summary>
    public long NumBatchesTracked { get; private set; }

    /// <summary>Sets the running mean to 0, the running variance to 1 and the counter to 0, where they are tracked.</summary>
    public void ResetRunningStats()
    {
        RunningMean?.Fill(T.Zero);
        RunningVar?.Fill(T.One);
        NumBatchesTracked = 0;
    }

    /// <summary>Sets weights to 1 and biases to 0, gradients to 0, and resets the running statistics.</summary>
    public void ResetParameters()
    {
        ResetRunningStats();
        Weight?.Value.Fill(T.One);
        Bias?.Value.Fill(T.Zero);
        ZeroGradients();
    }

    /// <summary>The layer and its settings, in PyTorch's form.</summary>
    public override string ToString()
    {
        string name = GetType().Name.Split('`')[0];
        string momentum = Momentum?.ToString("g", CultureInfo.InvariantCulture) ?? "None";
        string switches = $"affine={Weight is not null}, track_running_stats={RunningMean is not null}";
        return string.Create(CultureInfo.InvariantCulture, $"{name}({NumFeatures}, eps={Eps:g}, momentum={momentum}, {switches})");
    }

    /// <summary>The ranks that this layer takes, as an error message names them: "2D or 3D".</summary>
    private protected abstract string ExpectedRanks { get; }

    private protected abstract bool IsExpectedRank(int rank);

    private protected sealed override void CheckInput(ReadOnlySpan<nint> lengths)
    {
        if (!IsExpectedRank(lengths.Length))
            throw Guard.Refused($"expected {ExpectedRanks} input (got {lengths.Length}D input)", "input");
        if (lengths[1] != NumFeatures)
        {
            throw Guard.Refused(
                $"expected input with {NumFeatures} channels (got {lengths[1]} channels, input size {TensorSpans.Size(lengths)})", "input");
        }
    }

    private protected sealed override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, NormContext<T>? context)
    {
        bool updates = IsTraining && RunningMean is not null;
        bool reads = !IsTraining && RunningMean is not null;
        long batches = NumBatchesTracked + (updates ? 1 : 0);
        BatchNormArguments<T> arguments = new()
        {
            Weight = Weight is null ? default : Weight.Values,
            Bias = Bias is null ? default : Bias.Values,
            RunningMean = RunningMean is null ? default : RunningMean.DenseSpan(),
            RunningVar = RunningVar is null ? default : RunningVar.DenseSpan(),
            Statistics = reads ? StatisticsSource.Running : StatisticsSource.Batch,
            Momentum = Momentum ?? 1.0 / Math.Max(batches, 1),
            Eps = Eps,
            MaxThreads = MaxThreads,
        };
        BatchNormCalls.Forward(input, output, arguments, context);
        NumBatchesTracked = batches;
    }

    private protected sealed override void BackwardCore<TData>(
        in ReadOnlyTensorSpan<TData> gradOutput, in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> gradInput, NormContext<T> context)
        => BatchNormCalls.Backward(
            gradOutput,
            input,
            gradInput,
            Weight is null ? default : Weight.Values,
            Weight is null ? default : Weight.Gradients,
            Bias is null ? default : Bias.Gradients,
            MaxThreads,
            context);
}
