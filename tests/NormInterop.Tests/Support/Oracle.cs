using System.Numerics.Tensors;
using NormInterop.Reference;

namespace NormInterop.Tests.Support;

/// <summary>What a layer must compute, by the reference in double: from row-major arrays and the layer's state before the call.</summary>
internal sealed class Oracle
{
    private readonly ChannelTensorShape _shape;
    private readonly float[] _x;
    private readonly float[] _weight;
    private readonly double _eps;
    private readonly float[] _mean = [];
    private readonly float[] _var = [];
    private readonly double[] _savedMean;
    private readonly double[] _savedInvstd;
    private readonly double _largestBias;

    internal Oracle(BatchNorm<float> norm, float[] x, int[] shape)
    {
        _shape = new ChannelTensorShape(shape[0], shape[1], shape.Skip(2).Aggregate(1, (product, length) => product * length));
        _x = x;
        _eps = norm.Eps;
        _weight = ToArray(norm.Weight?.Value);
        _savedMean = new double[shape[1]];
        _savedInvstd = new double[shape[1]];
        Y = new double[x.Length];
        RunningMean = ToArray(norm.RunningMean);
        RunningVar = ToArray(norm.RunningVar);
        float[] bias = ToArray(norm.Bias?.Value);
        _largestBias = bias.Length == 0 ? 0 : bias.Max(Math.Abs);
        UsesRunning = !norm.IsTraining && norm.RunningMean is not null;
        if (UsesRunning)
        {
            _mean = RunningMean;
            _var = RunningVar;
            ReferenceBatchNorm.ForwardInference<float, double>(_shape, x, _weight, bias, _eps, _mean, _var, Y);
            return;
        }

        double momentum = norm.Momentum ?? 1.0 / (norm.NumBatchesTracked + 1);
        ReferenceBatchNorm.ForwardTraining<float, double>(
            _shape, x, _weight, bias, _eps, momentum, RunningMean, RunningVar, _savedMean, _savedInvstd, Y);
    }

    internal bool UsesRunning { get; }

    internal double[] Y { get; }

    /// <summary>The running buffers after the forward; empty without tracking.</summary>
    internal float[] RunningMean { get; }

    internal float[] RunningVar { get; }

    /// <summary>The gradients of a backward that finds zeros to add to.</summary>
    internal (double[] Dx, double[] Dweight, double[] Dbias) Backward(float[] dy)
    {
        double[] dx = new double[_x.Length], dweight = new double[_shape.Channels], dbias = new double[_shape.Channels];
        if (UsesRunning)
            ReferenceBatchNorm.BackwardInference<float, double>(_shape, dy, _x, _weight, _eps, _mean, _var, dx, dweight, dbias);
        else
            ReferenceBatchNorm.BackwardTraining<float, double>(_shape, dy, _x, _weight, _savedMean, _savedInvstd, dx, dweight, dbias);
        return (dx, dweight, dbias);
    }

    /// <summary>The size of the two terms of y, x^ * weight and bias, of which little may be left.</summary>
    internal double OutputScale => Y.Max(Math.Abs) + _largestBias;

    /// <summary>
    /// The size of the terms whose differences dx is made of. Over few values they cancel almost completely, and what is left of them
    /// says nothing about rounding.
    /// </summary>
    internal double GradientScale(float[] dy)
    {
        double largest = 0;
        for (int c = 0; c < _shape.Channels; c++)
        {
            double invstd = UsesRunning ? 1 / Math.Sqrt(_var[c] + _eps) : _savedInvstd[c];
            largest = Math.Max(largest, Math.Abs(invstd * (_weight.Length == 0 ? 1 : _weight[c])));
        }

        return largest * dy.Max(Math.Abs);
    }

    internal static double[] Doubles(float[] values) => Array.ConvertAll(values, value => (double)value);

    private static float[] ToArray(Tensor<float>? tensor) => tensor is null ? [] : Tensors.Flat(tensor);
}
