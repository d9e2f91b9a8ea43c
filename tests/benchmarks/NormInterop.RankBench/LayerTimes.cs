using System.Diagnostics;
using System.Numerics.Tensors;

namespace NormInterop.RankBench;

/// <summary>A layer of ResNet-50, with a batch of 8 on every rank.</summary>
internal readonly record struct LayerShape(int Channels, int Side)
{
    public const int Batch = 8;

    /// <summary>In its second, fourth and fourth stage.</summary>
    public static readonly IReadOnlyList<LayerShape> All = [new(64, 56), new(256, 14), new(1024, 14)];

    public override string ToString() => FormattableString.Invariant($"{Batch},{Channels},{Side},{Side}");
}

/// <summary>Forward and backward of a SyncBatchNorm, and of a BatchNorm2d on the same data, on one thread each.</summary>
internal sealed class LayerTimes
{
    private readonly MpiCollective _group;
    private readonly TimedCollective _timed;
    private readonly LayerShape _shape;
    private readonly BatchNorm2d<float> _plain;
    private readonly SyncBatchNorm<float> _sync;
    private readonly NormContext<float> _plainContext = new(), _syncContext = new();
    private readonly Tensor<float> _x, _y, _dy, _dx;

    public LayerTimes(MpiCollective group, LayerShape shape, int rounds)
    {
        _group = group;
        _timed = new(group);
        _shape = shape;
        _plain = new(shape.Channels) { MaxThreads = 1 };
        _sync = new(shape.Channels, _timed) { MaxThreads = 1 };
        (_x, _y, _dy, _dx) = (Filled(shape), Filled(shape), Filled(shape), Filled(shape));
        (Plain, Sync, Inside) = (new(group, rounds), new(group, rounds), new(group, rounds));
    }

    public LayerShape Shape => _shape;

    /// <summary>Of BatchNorm2d.</summary>
    public Rounds Plain { get; }

    /// <summary>Of SyncBatchNorm.</summary>
    public Rounds Sync { get; }

    /// <summary>Inside the operations of its group.</summary>
    public Rounds Inside { get; }

    /// <summary>One step of each, after a barrier. A negative round warms up.</summary>
    public void Step(int round)
    {
        // The first one is not timed: it brings the caches into the state in which both then find them.
        Step(_plain, _plainContext);
        _group.Barrier();
        long start = Stopwatch.GetTimestamp();
        Step(_plain, _plainContext);
        double plain = Stopwatch.GetElapsedTime(start).TotalSeconds;

        _group.Barrier();
        (CollectiveTraffic traffic, long inside) = (_group.Traffic, _timed.Ticks);
        start = Stopwatch.GetTimestamp();
        Step(_sync, _syncContext);
        double sync = Stopwatch.GetElapsedTime(start).TotalSeconds;
        traffic = _group.Traffic - traffic;
        long expected = Wire.BytesOfStep(_shape.Channels);
        if ((traffic.Messages, traffic.Bytes) != (2, expected))
            throw new InvalidOperationException($"A step sent {traffic}; the model counts 2 messages of {expected} bytes.");
        if (round >= 0)
            (Plain[round], Sync[round], Inside[round]) = (plain, sync, (double)(_timed.Ticks - inside) / Stopwatch.Frequency);
    }

    public void Share()
    {
        Plain.Share(_group);
        Sync.Share(_group);
        Inside.Share(_group);
    }

    private void Step(NormModule<float> layer, NormContext<float> context)
    {
        layer.Forward<float>(_x, _y, context);
        layer.Backward<float>(_dy, _x, _dx, context);
    }

    private static Tensor<float> Filled(LayerShape shape)
    {
        float[] values = new float[LayerShape.Batch * shape.Channels * shape.Side * shape.Side];
        for (int i = 0; i < values.Length; i++)
            values[i] = (i % 251 / 125f) - 1;
        return Tensor.Create(values, [LayerShape.Batch, shape.Channels, shape.Side, shape.Side]);
    }
}
