using System.Diagnostics;
using System.Numerics.Tensors;
using NormInterop.Reference;

namespace NormInterop.Samples.Digits;

/// <summary>The median times of one epoch's normalization calls, made in three ways.</summary>
internal sealed record TimingResult(int Calls, int Rounds, TimeSpan NativeTensors, TimeSpan NativeSpans, TimeSpan Reference);

/// <summary>
/// Makes the normalization calls of one training epoch once more, all of shape (batch, 128): through the library as the training does,
/// through its span form, and through the same layer in plain C#. The three take turns, so that a busy machine slows all of them alike.
/// </summary>
internal sealed class NormalizationTiming
{
    private const int Rounds = 41;
    private const double Eps = 1e-5;
    private const double Momentum = 0.1;
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(400);

    private readonly int _pairs;
    private readonly ChannelTensorShape _shape;
    private readonly Tensor<float> _input;
    private readonly Tensor<float> _outputGradient;
    private readonly Tensor<float> _result;
    private readonly BatchNorm1d<float> _tensorLayer = new(Network.Hidden, Eps, Momentum);
    private readonly BatchNorm1d<float> _spanLayer = new(Network.Hidden, Eps, Momentum);
    private readonly NormContext<float> _context = new();
    private readonly ReferenceState _reference = new();

    private NormalizationTiming(int batchesPerEpoch, int layers, int batchSize)
    {
        _pairs = batchesPerEpoch * layers;

        // With one element per channel and sample both layouts are the same memory; the reference is faster over this one.
        _shape = new ChannelTensorShape(batchSize, Network.Hidden, 1, channelsLast: true);
        Random random = new(0);
        _input = RandomTensor(random, batchSize);
        _outputGradient = RandomTensor(random, batchSize);
        _result = RandomTensor(random, batchSize);
    }

    public static TimingResult Measure(int batchesPerEpoch, int layers, int batchSize) =>
        new NormalizationTiming(batchesPerEpoch, layers, batchSize).Measure();

    private TimingResult Measure()
    {
        // Long enough for the just-in-time compiler to have optimized all three.
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < WarmUp)
            _ = (Time(NativeTensors), Time(NativeSpans), Time(PlainCSharp));

        TimeSpan[] tensors = new TimeSpan[Rounds];
        TimeSpan[] spans = new TimeSpan[Rounds];
        TimeSpan[] plain = new TimeSpan[Rounds];
        for (int i = 0; i < Rounds; i++)
            (tensors[i], spans[i], plain[i]) = (Time(NativeTensors), Time(NativeSpans), Time(PlainCSharp));

        return new TimingResult(2 * _pairs, Rounds, Median(tensors), Median(spans), Median(plain));
    }

    private TimeSpan Time(Action forwardAndBackward)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < _pairs; i++)
            forwardAndBackward();
        return Stopwatch.GetElapsedTime(start);
    }

    private void NativeTensors()
    {
        _tensorLayer.Forward(_input);
        _tensorLayer.Backward(_outputGradient);
    }

    private void NativeSpans()
    {
        _spanLayer.Forward<float>(_input, _result, _context);
        _spanLayer.Backward<float>(_outputGradient, _input, _result, _context);
    }

    private void PlainCSharp()
    {
        ReferenceState r = _reference;
        ReferenceBatchNorm.ForwardTraining(
            _shape, _input.Elements(), r.Weight, r.Bias, Eps, Momentum, r.RunningMean, r.RunningVar,
            r.SavedMean, r.SavedInvstd, _result.Elements());
        ReferenceBatchNorm.BackwardTraining(
            _shape, _outputGradient.Elements(), _input.Elements(), r.Weight, r.SavedMean, r.SavedInvstd,
            _result.Elements(), r.WeightGradient, r.BiasGradient);
    }

    private static TimeSpan Median(TimeSpan[] times)
    {
        Array.Sort(times);
        return times[times.Length / 2];
    }

    private static Tensor<float> RandomTensor(Random random, int rows)
    {
        float[] values = new float[rows * Network.Hidden];
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() - 0.5f;
        return Tensor.Create(values, [rows, Network.Hidden]);
    }

    private sealed class ReferenceState
    {
        public float[] Weight { get; } = [.. Enumerable.Repeat(1f, Network.Hidden)];

        public float[] Bias { get; } = new float[Network.Hidden];

        public float[] WeightGradient { get; } = new float[Network.Hidden];

        public float[] BiasGradient { get; } = new float[Network.Hidden];

        public float[] RunningMean { get; } = new float[Network.Hidden];

        public float[] RunningVar { get; } = [.. Enumerable.Repeat(1f, Network.Hidden)];

        public double[] SavedMean { get; } = new double[Network.Hidden];

        public double[] SavedInvstd { get; } = new double[Network.Hidden];
    }
}
