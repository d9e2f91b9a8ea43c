using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;
using NormInterop.State;

namespace NormInterop;

/// <summary>What <see cref="BatchNorm{T}"/> and <see cref="InstanceNorm{T}"/> share: a number of channels, and running buffers.</summary>
/// <typeparam name="T">Type of the parameters and statistics: float or double.</typeparam>
public abstract class RunningNorm<T> : FusedNorm<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected RunningNorm(int numFeatures, double eps, bool affine, bool trackRunningStats)
    {
        Guard.ParameterType<T>();
        Guard.Positive(numFeatures, nameof(numFeatures));
        Guard.Eps(eps, nameof(eps));
        NumFeatures = numFeatures;
        Eps = eps;
        if (affine)
        {
            Weight = new Parameter<T>([numFeatures], T.One);
            Bias = new Parameter<T>([numFeatures], T.Zero);
        }

        if (trackRunningStats)
        {
            RunningMean = Tensor.CreateFromShape<T>([numFeatures]);
            RunningVar = Tensor.CreateFromShape<T>([numFeatures]);
            RunningVar.Fill(T.One);
        }
    }

    /// <summary>A layer with the parameters, buffers and settings of another one, and its mode.</summary>
    private protected RunningNorm(RunningNorm<T> other)
    {
        NumFeatures = other.NumFeatures;
        Eps = other.Eps;
        Weight = other.Weight;
        Bias = other.Bias;
        RunningMean = other.RunningMean;
        RunningVar = other.RunningVar;
        NumBatchesTracked = other.NumBatchesTracked;
        Activation = other.Activation;
        MaxThreads = other.MaxThreads;
        TakeMode(other);
    }

    /// <summary>C, the number of channels.</summary>
    public int NumFeatures { get; }

    /// <summary>What is added to the variance before the square root.</summary>
    public double Eps { get; }

    /// <summary>Running mean, C elements, 0 at first; null when not tracked.</summary>
    public Tensor<T>? RunningMean { get; }

    /// <summary>Running variance (unbiased), C elements, 1 at first; null when not tracked.</summary>
    public Tensor<T>? RunningVar { get; }

    /// <summary>
    /// Training forwards so far, of a BatchNorm. Stays 0 when running statistics are not tracked; an InstanceNorm does not count.
    /// </summary>
    public long NumBatchesTracked { get; private protected set; }

    /// <summary>Sets the running mean to 0, the running variance to 1 and the counter to 0, where they are tracked.</summary>
    public void ResetRunningStats()
    {
        RunningMean?.Fill(T.Zero);
        RunningVar?.Fill(T.One);
        NumBatchesTracked = 0;
    }

    /// <summary>Sets weights to 1 and biases to 0, gradients to 0, and resets the running statistics.</summary>
    public override void ResetParameters()
    {
        ResetRunningStats();
        base.ResetParameters();
    }

    /// <summary>Whether the next forward takes its statistics from the running buffers.</summary>
    private protected bool ReadsRunning => !IsTraining && RunningMean is not null;

    /// <summary>The ranks that this layer takes, as an error message names them: "2D or 3D".</summary>
    private protected abstract string ExpectedRanks { get; }

    /// <summary>Whether inputs may have this rank.</summary>
    internal abstract bool IsExpectedRank(int rank);

    private protected void CheckRank(ReadOnlySpan<nint> lengths)
    {
        if (!IsExpectedRank(lengths.Length))
            throw Guard.Refused($"expected {ExpectedRanks} input (got {lengths.Length}D input)", "input");
    }

    /// <summary>
    /// The arguments of a forward with the running buffers, where they are tracked: read in evaluation, updated in training.
    /// </summary>
    private protected NormArguments<T> RunningArguments(NormKernel fromInput, double momentum) =>
        Arguments(ReadsRunning ? NormKernel.RunningStatistics : fromInput, Eps, Activation) with
        {
            RunningMean = RunningMean is null ? default : RunningMean.DenseSpan(),
            RunningVar = RunningVar is null ? default : RunningVar.DenseSpan(),
            Momentum = momentum,
        };

    private protected sealed override IEnumerable<StateSlot<T>> StateSlots()
    {
        foreach (StateSlot<T> slot in base.StateSlots())
            yield return slot;
        if (RunningMean is null || RunningVar is null)
            yield break;
        yield return StateSlot<T>.Of("running_mean", RunningMean);
        yield return StateSlot<T>.Of("running_var", RunningVar);
        yield return StateSlot<T>.Counter("num_batches_tracked", () => NumBatchesTracked, value => NumBatchesTracked = value);
    }

    /// <summary>The layer and its settings, in PyTorch's form; at the end the activation, if there is one.</summary>
    private protected string Describe(double? momentum)
    {
        string factor = momentum?.ToString("g", CultureInfo.InvariantCulture) ?? "None";
        string switches = $"affine={Weight is not null}, track_running_stats={RunningMean is not null}";
        return string.Create(
            CultureInfo.InvariantCulture, $"{LayerName}({NumFeatures}, eps={Eps:g}, momentum={factor}, {switches}{ActivationText})");
    }
}
