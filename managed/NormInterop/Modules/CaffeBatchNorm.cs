using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Functional;
using NormInterop.State;

namespace NormInterop;

/// <summary>
/// Caffe's BatchNorm layer: every channel of an input (N, C, ...) is normalized over the batch and all positions,
/// y = (x - mean) / sqrt(var + eps). It has no weight and no bias; in Caffe those are a Scale layer, <see cref="CaffeScale{T}"/>.
/// </summary>
/// <remarks>
/// <para>With f the moving average fraction, a forward with the batch's statistics sets factor = f * factor + 1,
/// meanSum = f * meanSum + mean and varSum = f * varSum + var * m / (m - 1), m being the number of values of a channel; for m = 1 that
/// correction is left out, and a single value per channel is legal. The batch is normalized with the biased variance.</para>
/// <para>A forward with global statistics takes mean = meanSum / factor and var = varSum / factor; while factor is 0, both are 0.</para>
/// <para>An empty batch changes nothing. Results do not depend on the number of threads or on the CPU, to the bit.</para>
/// </remarks>
/// <typeparam name="T">Type of the statistics: float or double.</typeparam>
public sealed partial class CaffeBatchNorm<T> : NormModule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Makes a layer in training mode, with all sums 0.</summary>
    /// <param name="numFeatures">C, the number of channels.</param>
    /// <param name="eps">What is added to the variance before the square root; at least 0.</param>
    /// <param name="movingAverageFraction">f, what the sums keep of themselves at each step.</param>
    /// <param name="useGlobalStats">Whether to use the global statistics; null for those of the batch in training, and the global ones
    /// in evaluation. False updates the sums in evaluation, too, as Caffe does: one thread at a time, then.</param>
    /// <exception cref="NotSupportedException">T is neither float nor double.</exception>
    /// <exception cref="ArgumentOutOfRangeException">numFeatures is below 1, or eps is negative or NaN.</exception>
    public CaffeBatchNorm(int numFeatures, double eps = 1e-5, double movingAverageFraction = 0.999, bool? useGlobalStats = null)
    {
        Guard.ParameterType<T>();
        Guard.Positive(numFeatures, nameof(numFeatures));
        Guard.Eps(eps, nameof(eps));
        NumFeatures = numFeatures;
        Eps = eps;
        MovingAverageFraction = movingAverageFraction;
        UseGlobalStats = useGlobalStats;
        MeanSum = Tensor.CreateFromShape<T>([numFeatures]);
        VarSum = Tensor.CreateFromShape<T>([numFeatures]);
        Factor = Tensor.CreateFromShape<T>([1]);
    }

    /// <summary>C, the number of channels.</summary>
    public int NumFeatures { get; }

    /// <summary>What is added to the variance before the square root.</summary>
    public double Eps { get; }

    /// <summary>f, what the sums keep of themselves at each step.</summary>
    public double MovingAverageFraction { get; }

    /// <summary>Whether forwards use the global statistics; null where the mode decides: in evaluation they do.</summary>
    public bool? UseGlobalStats { get; }

    /// <summary>Caffe's first blob: the decaying sum of the batches' means, C elements, 0 at first.</summary>
    public Tensor<T> MeanSum { get; }

    /// <summary>Caffe's second blob: the decaying sum of the batches' unbiased variances, C elements, 0 at first.</summary>
    public Tensor<T> VarSum { get; }

    /// <summary>Caffe's third blob: what the sums have to be divided by, 1 element, 0 at first.</summary>
    public Tensor<T> Factor { get; }

    /// <inheritdoc/>
    public override CaffeBatchNorm<T> Train(bool mode = true)
    {
        base.Train(mode);
        return this;
    }

    /// <inheritdoc/>
    public override CaffeBatchNorm<T> Eval() => Train(false);

    /// <summary>Sets all sums to 0.</summary>
    public override void ResetParameters()
    {
        MeanSum.Clear();
        VarSum.Clear();
        Factor.Clear();
        base.ResetParameters();
    }

    /// <summary>The layer and its settings, in PyTorch's form.</summary>
    public override string ToString()
    {
        string global = UseGlobalStats?.ToString() ?? "None";
        string settings = $"moving_average_fraction={MovingAverageFraction.ToString("g", CultureInfo.InvariantCulture)}";
        return string.Create(
            CultureInfo.InvariantCulture, $"{LayerName}({NumFeatures}, eps={Eps:g}, {settings}, use_global_stats={global})");
    }

    private bool ReadsGlobal => UseGlobalStats ?? !IsTraining;

    private double FactorValue => double.CreateTruncating(Factor.DenseSpan()[0]);

    private protected override NormGeometry CheckInput(ReadOnlySpan<nint> lengths)
    {
        InputChecks.Channels(lengths, NumFeatures);
        NormGeometry geometry = NormGeometry.OfChannels(lengths);
        InputChecks.ValuesPerChannel(geometry, lengths, least: 1);
        return geometry;
    }

    private protected override void ForwardCore<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context)
    {
        CheckSumsApart(MemoryRange.Of(output), nameof(output));
        if (ReadsGlobal)
        {
            ForwardGlobal(input, output, geometry, context);
            return;
        }

        CheckSumsApart(MemoryRange.Of(input), nameof(input));
        NormArguments<T> arguments = Arguments(NormKernel.CaffeStatistics, Eps) with
        {
            RunningMean = MeanSum.DenseSpan(),
            RunningVar = VarSum.DenseSpan(),
            Momentum = MovingAverageFraction,
        };
        double factor = (MovingAverageFraction * FactorValue) + 1;
        NormCalls.Forward(input, output, geometry, arguments, context);
        if (geometry.Batch > 0)
            Factor.DenseSpan()[0] = T.CreateTruncating(factor);
    }

    private protected override IEnumerable<StateSlot<T>> StateSlots() =>
    [
        StateSlot<T>.Of("mean_sum", MeanSum),
        StateSlot<T>.Of("var_sum", VarSum),
        StateSlot<T>.Of("factor", Factor),
    ];

    /// <summary>
    /// The averages are double: rounded to the type of the sums, a mean far from 0 would shift every output. They live in memory from
    /// the pool, so that threads that evaluate at once share no more than the sums.
    /// </summary>
    private void ForwardGlobal<TData>(
        in ReadOnlyTensorSpan<TData> input, in TensorSpan<TData> output, in NormGeometry geometry, NormContext<T>? context)
        where TData : unmanaged
    {
        T[] mean = ArrayPool<T>.Shared.Rent(NumFeatures), var = ArrayPool<T>.Shared.Rent(NumFeatures);
        double[] exactMean = ArrayPool<double>.Shared.Rent(NumFeatures), exactInvstd = ArrayPool<double>.Shared.Rent(NumFeatures);
        try
        {
            ReadOnlySpan<T> means = MeanSum.DenseSpan(), vars = VarSum.DenseSpan();
            double factor = FactorValue;
            for (int i = 0; i < NumFeatures; i++)
            {
                exactMean[i] = Average(means[i], factor);
                double spread = Average(vars[i], factor) + Eps;
                exactInvstd[i] = spread == 0 ? 0 : 1 / Math.Sqrt(spread);
            }

            Average(means, mean);
            Average(vars, var);

            NormArguments<T> arguments = Arguments(NormKernel.RunningStatistics, Eps) with
            {
                RunningMean = mean.AsSpan(0, NumFeatures),
                RunningVar = var.AsSpan(0, NumFeatures),
                ExactMean = exactMean.AsSpan(0, NumFeatures),
                ExactInvstd = exactInvstd.AsSpan(0, NumFeatures),
            };
            NormCalls.Forward(input, output, geometry, arguments, context);
        }
        finally
        {
            ArrayPool<T>.Shared.Return(mean);
            ArrayPool<T>.Shared.Return(var);
            ArrayPool<double>.Shared.Return(exactMean);
            ArrayPool<double>.Shared.Return(exactInvstd);
        }
    }

    /// <summary>sums / factor, or 0 where factor is 0.</summary>
    private void Average(ReadOnlySpan<T> sums, Span<T> averages)
    {
        double factor = FactorValue;
        for (int i = 0; i < sums.Length; i++)
            averages[i] = T.CreateTruncating(Average(sums[i], factor));
    }

    private static double Average(T sum, double factor) => factor == 0 ? 0 : double.CreateTruncating(sum) / factor;

    private void CheckSumsApart(in MemoryRange tensor, string name)
    {
        Aliasing.CheckApart<T>(MeanSum.DenseSpan(), nameof(MeanSum), tensor, name);
        Aliasing.CheckApart<T>(VarSum.DenseSpan(), nameof(VarSum), tensor, name);
        Aliasing.CheckApart<T>(Factor.DenseSpan(), nameof(Factor), tensor, name);
    }
}
