using System.Numerics.Tensors;
using NormInterop.Functional;

namespace NormInterop;

public sealed partial class CaffeBatchNorm<T>
{
    /// <summary>A BatchNorm1d that computes in evaluation what this layer and a Scale layer after it do with global
    /// statistics, but for the rounding of the averages to T.</summary>
    /// <param name="scale">The Scale layer, of one dimension, the channels; null for weight 1 and bias 0.</param>
    /// <returns>
    /// A layer with copies: running mean = meanSum / factor, running variance = varSum / factor (0 where factor is 0), weight = scale,
    /// bias = its bias or 0, the same eps, number of threads and mode, and momentum = 1 - f.
    /// </returns>
    /// <exception cref="ArgumentException">The scale is not one of C channels in dimension 1.</exception>
    /// <remarks>
    /// <para>Training goes on alike but not the same: Caffe's averages weigh the batches alone, PyTorch's also their initial values,
    /// and PyTorch refuses a single value per channel. UseGlobalStats has no counterpart: the mode of the result decides.</para>
    /// </remarks>
    public BatchNorm1d<T> ToBatchNorm1d(CaffeScale<T>? scale = null) =>
        Fill(new BatchNorm1d<T>(NumFeatures, Eps, 1 - MovingAverageFraction), scale).Train(IsTraining);

    /// <summary>A BatchNorm2d that computes in evaluation what this layer and a Scale layer after it do with global
    /// statistics, but for the rounding of the averages to T.</summary>
    /// <inheritdoc cref="ToBatchNorm1d"/>
    public BatchNorm2d<T> ToBatchNorm2d(CaffeScale<T>? scale = null) =>
        Fill(new BatchNorm2d<T>(NumFeatures, Eps, 1 - MovingAverageFraction), scale).Train(IsTraining);

    /// <summary>A BatchNorm3d that computes in evaluation what this layer and a Scale layer after it do with global
    /// statistics, but for the rounding of the averages to T.</summary>
    /// <inheritdoc cref="ToBatchNorm1d"/>
    public BatchNorm3d<T> ToBatchNorm3d(CaffeScale<T>? scale = null) =>
        Fill(new BatchNorm3d<T>(NumFeatures, Eps, 1 - MovingAverageFraction), scale).Train(IsTraining);

    private TNorm Fill<TNorm>(TNorm norm, CaffeScale<T>? scale)
        where TNorm : BatchNorm<T>
    {
        CheckScale(norm, scale);
        norm.MaxThreads = MaxThreads;
        Average(MeanSum.DenseSpan(), norm.RunningMean!.DenseSpan());
        Average(VarSum.DenseSpan(), norm.RunningVar!.DenseSpan());
        scale?.Weight!.Values.CopyTo(norm.Weight!.Values);
        scale?.Bias?.Values.CopyTo(norm.Bias!.Values);
        return norm;
    }

    /// <summary>The scale's axis must be dimension 1 in a rank that the BatchNorm takes; negative axes count from the end.</summary>
    private void CheckScale(BatchNorm<T> norm, CaffeScale<T>? scale)
    {
        if (scale is null)
            return;
        bool channels = scale.Axis == 1 || (scale.Axis < 0 && norm.IsExpectedRank(1 - scale.Axis));
        if (scale.NumAxes != 1 || scale.Weight!.Values.Length != NumFeatures || !channels)
        {
            string size = TensorSpans.Size(scale.Weight!.Value.Lengths);
            throw new ArgumentException(
                $"Expected a scale of {NumFeatures} channels in dimension 1, got size {size} from axis {scale.Axis}, "
                + $"with {scale.NumAxes} axes.",
                nameof(scale));
        }
    }
}
