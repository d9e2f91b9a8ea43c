using NormInterop.Reference;

namespace NormInterop.Tests.Support;

/// <summary>Any layer by its name, computed by the reference in double from row-major numbers. It keeps buffers as a module does.</summary>
internal sealed class LayerOracle
{
    private readonly string _layer;
    private readonly ModuleSettings _settings;
    private readonly double _eps;
    private readonly double[] _weight;
    private readonly double[] _bias;
    private double[] _savedMean = [];
    private double[] _savedInvstd = [];
    private double[] _x = [];
    private int[] _shape = [];
    private bool _usedBuffers;

    /// <summary>A layer with these parameters, empty where it has none, and the buffers of a new one.</summary>
    /// <param name="layer">Name of the module type.</param>
    /// <param name="settings">Arguments of its constructor.</param>
    /// <param name="weight">gamma, or empty.</param>
    /// <param name="bias">beta, or empty.</param>
    /// <param name="machineEpsilon">Of the type that is computed in; for RMSNorm without eps.</param>
    internal LayerOracle(string layer, ModuleSettings settings, double[] weight, double[] bias, double machineEpsilon)
    {
        _layer = layer;
        _settings = settings;
        _eps = settings.Eps ?? machineEpsilon;
        _weight = weight;
        _bias = bias;
        bool caffe = layer == "CaffeBatchNorm", running = Family is "BatchNorm" or "InstanceNorm" && settings.Tracking;
        Mean = caffe || running ? new double[settings.Channels] : [];
        Var = caffe || running ? new double[settings.Channels] : [];
        Factor = caffe ? [0] : [];
        if (running)
            Array.Fill(Var, 1);
    }

    /// <summary>running_mean, or Caffe's sum of means.</summary>
    internal double[] Mean { get; }

    /// <summary>running_var, or Caffe's sum of variances.</summary>
    internal double[] Var { get; }

    /// <summary>Caffe's third blob.</summary>
    internal double[] Factor { get; }

    internal long Batches { get; set; }

    /// <summary>A buffer by its name in the golden files.</summary>
    internal double[] Buffer(string name) => name switch
    {
        "running_mean" or "mean_sum" => Mean,
        "running_var" or "variance_sum" => Var,
        "factor" => Factor,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Expected the name of a buffer."),
    };

    /// <summary>The largest 1 / sqrt(var + eps) times weight of the last forward: dx is made of terms of this size times dy's.</summary>
    internal double LargestScale
    {
        get
        {
            double weight = _weight.Length == 0 ? 1 : _weight.Max(Math.Abs);
            if (_layer == "CaffeScale")
                return weight;
            double perFactor = Factor.Length == 0 ? 1 : Factor[0] == 0 ? 0 : 1 / Factor[0];
            return weight * (_usedBuffers ? Var.Max(var => InverseStd(var * perFactor)) : _savedInvstd.DefaultIfEmpty(0).Max());
        }
    }

    private string Family => _layer == "SyncBatchNorm" ? "BatchNorm" : _layer.TrimEnd('d').TrimEnd('1', '2', '3');

    internal double[] Forward(int[] shape, double[] x, bool training)
    {
        _shape = shape;
        _x = x;
        _usedBuffers = UsesBuffers(training);
        double[] y = new double[x.Length];
        switch (Family)
        {
            case "BatchNorm":
                BatchNorm(x, y, training);
                break;
            case "InstanceNorm":
                InstanceNorm(x, y);
                break;
            case "GroupNorm":
                Save(shape[0] * _settings.Groups);
                ReferenceGroupNorm.Forward<double, double>(
                    Channels(), _settings.Groups, x, _weight, _bias, _eps, _savedMean, _savedInvstd, y);
                break;
            case "LayerNorm":
                Save(x.Length / RowLength);
                ReferenceLayerNorm.Forward<double, double>(RowLength, x, _weight, _bias, _eps, _savedMean, _savedInvstd, y);
                break;
            case "RMSNorm":
                Save(x.Length / RowLength);
                ReferenceRmsNorm.Forward<double, double>(RowLength, x, _weight, _eps, _savedInvstd, y);
                break;
            case "CaffeBatchNorm":
                CaffeBatchNorm(x, y);
                break;
            case "CaffeScale":
                ReferenceCaffe.ScaleForward<double, double>(Inner, x, _weight, _bias, y);
                break;
            default:
                throw new InvalidOperationException($"No reference of {_layer}.");
        }

        return y;
    }

    /// <summary>The gradients of the last forward.</summary>
    internal (double[] Dx, double[] Dweight, double[] Dbias) Backward(double[] dy)
    {
        double[] dx = new double[dy.Length], dweight = new double[_weight.Length], dbias = new double[_bias.Length];
        switch (Family)
        {
            case "BatchNorm" or "InstanceNorm" when _usedBuffers:
                ReferenceBatchNorm.BackwardInference<double, double>(Channels(), dy, _x, _weight, _eps, Mean, Var, dx, dweight, dbias);
                break;
            case "BatchNorm":
                ReferenceBatchNorm.BackwardTraining<double, double>(
                    Channels(), dy, _x, _weight, _savedMean, _savedInvstd, dx, dweight, dbias);
                break;
            case "InstanceNorm":
                ReferenceInstanceNorm.Backward<double, double>(
                    Channels(), dy, _x, _weight, _savedMean, _savedInvstd, dx, dweight, dbias);
                break;
            case "GroupNorm":
                ReferenceGroupNorm.Backward<double, double>(
                    Channels(), _settings.Groups, dy, _x, _weight, _savedMean, _savedInvstd, dx, dweight, dbias);
                break;
            case "LayerNorm":
                ReferenceLayerNorm.Backward<double, double>(
                    RowLength, dy, _x, _weight, _savedMean, _savedInvstd, dx, dweight, dbias);
                break;
            case "RMSNorm":
                ReferenceRmsNorm.Backward<double, double>(RowLength, dy, _x, _weight, _savedInvstd, dx, dweight);
                break;
            case "CaffeBatchNorm" when _usedBuffers:
                ReferenceCaffe.BatchNormBackwardGlobal<double, double>(Channels(), dy, _eps, Var, Factor, dx);
                break;
            case "CaffeBatchNorm":
                ReferenceBatchNorm.BackwardTraining<double, double>(Channels(), dy, _x, [], _savedMean, _savedInvstd, dx, [], []);
                break;
            default:
                ReferenceCaffe.ScaleBackward<double, double>(Inner, dy, _x, _weight, dx, dweight, dbias);
                break;
        }

        return (dx, dweight, dbias);
    }

    private int RowLength => Tensors.Count(_settings.Shape);

    // Of CaffeScale: the elements behind the scaled dimensions. A scalar scales single elements.
    private int Inner => _settings.Shape.Length == 0 ? 1 : Tensors.Count(_shape[(_settings.Axis + _settings.Shape.Length)..]);

    private bool UsesBuffers(bool training) =>
        _layer == "CaffeBatchNorm" ? _settings.UseGlobalStats ?? !training : !training && Mean.Length > 0;

    private void BatchNorm(double[] x, double[] y, bool training)
    {
        if (_usedBuffers)
        {
            ReferenceBatchNorm.ForwardInference<double, double>(Channels(), x, _weight, _bias, _eps, Mean, Var, y);
            return;
        }

        // Evaluation without buffers comes here, too, and has none to update.
        if (training && _settings.Tracking)
            Batches++;
        Save(_settings.Channels);
        double momentum = _settings.Momentum ?? 1.0 / Math.Max(Batches, 1);
        ReferenceBatchNorm.ForwardTraining<double, double>(
            Channels(), x, _weight, _bias, _eps, momentum, Mean, Var, _savedMean, _savedInvstd, y);
    }

    private void InstanceNorm(double[] x, double[] y)
    {
        if (_usedBuffers)
        {
            ReferenceBatchNorm.ForwardInference<double, double>(Channels(), x, _weight, _bias, _eps, Mean, Var, y);
            return;
        }

        Save(Channels().Batch * _settings.Channels);
        ReferenceInstanceNorm.Forward<double, double>(
            Channels(), x, _weight, _bias, _eps, _settings.Momentum!.Value, Mean, Var, _savedMean, _savedInvstd, y);
    }

    private void CaffeBatchNorm(double[] x, double[] y)
    {
        if (_usedBuffers)
        {
            ReferenceCaffe.BatchNormForwardGlobal<double, double>(Channels(), x, _eps, Mean, Var, Factor, y);
            return;
        }

        Save(_settings.Channels);
        ReferenceCaffe.BatchNormForwardTraining<double, double>(
            Channels(), x, _eps, _settings.Fraction, Mean, Var, Factor, _savedMean, _savedInvstd, y);
    }

    private void Save(int count)
    {
        _savedMean = new double[count];
        _savedInvstd = new double[count];
    }

    // (N, C, S) of the last input. Unbatched input of InstanceNorm is a single sample: its rank is one less than that of the layer's own.
    private ChannelTensorShape Channels()
    {
        bool unbatched = Family == "InstanceNorm" && _shape.Length == 1 + int.Parse(_layer[^2..^1], null);
        return unbatched
            ? new ChannelTensorShape(1, _shape[0], Tensors.Count(_shape[1..]))
            : new ChannelTensorShape(_shape[0], _shape[1], Tensors.Count(_shape[2..]));
    }

    private double InverseStd(double var) => var + _eps == 0 ? 0 : 1 / Math.Sqrt(var + _eps);
}
