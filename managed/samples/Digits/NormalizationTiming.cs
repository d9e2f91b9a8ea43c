using System.Diagnostics;
using System.Numerics.Tensors;

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
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(400);

    private readonly int _pairs;
    private readonly Tensor<float> _input;
    private readonly Tensor<float> _outputGradient;
    private readonly Tensor<float> _result;
    private readonly NormModule<float> _tensorLayer;
    private readonly NormModule<float> _spanLayer;
    private readonly NormContext<float> _context = new();
    private readonly PlainNormalization _plain;

    private NormalizationTiming(Normalization normalization, int batchesPerEpoch, int layers, int batchSize)
    {
        _pairs = batchesPerEpoch * layers;
        _plain = PlainNormalization.Create(normalization, batchSize);
        _tensorLayer = normalization.Create(Network.Hidden)!;
        _spanLayer = normalization.Create(Network.Hidden)!;
        Random random = new(0);
        _input = RandomTensor(random, batchSize);
        _outputGradient = RandomTensor(random, batchSize);
        _result = RandomTensor(random, batchSize);
    }

    public static TimingResult Measure(Trainer trainer, int batchSize)
    {
        Network network = trainer.Network;
        int layers = network.NormalizationLayers.Count();
        return new NormalizationTiming(network.Normalization, trainer.BatchesPerEpoch, layers, batchSize).Measure();
    }

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
        _plain.Forward(_input.Elements(), _result.Elements());
        _plain.Backward(_outputGradient.Elements(), _input.Elements(), _result.Elements());
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
}
