using System.Diagnostics;
using System.Numerics.Tensors;
using NormInterop.Samples.Digits;

namespace NormInterop.Samples.DataParallel;

/// <summary>What a training sent, on this rank.</summary>
internal readonly record struct StepTraffic(CollectiveTraffic Forward, CollectiveTraffic Backward, CollectiveTraffic Gradients);

/// <summary>What came of a training.</summary>
/// <param name="Statistics">With which statistics.</param>
/// <param name="Accuracy">Of rank 0's copy on the test images.</param>
/// <param name="StepTime">The median of this rank's steps.</param>
/// <param name="Traffic">This rank's, in all steps together.</param>
/// <param name="Parameters">Whether all ranks have the same parameters, to the bit.</param>
/// <param name="Buffers">Whether all ranks have the same running buffers, to the bit.</param>
internal sealed record TrainingResult(
    Statistics Statistics, double Accuracy, TimeSpan StepTime, StepTraffic Traffic, Agreement Parameters, Agreement Buffers);

/// <summary>Trains this rank's copy together with those of the others.</summary>
/// <remarks>
/// The BatchNorms, the gradients and everything else have a group each. One would do; but every group counts what it sends.
/// </remarks>
internal sealed class Training(Options options, MpiCollective world) : IDisposable
{
    private readonly MpiCollective _statistics = world.Split(0);
    private readonly MpiCollective _gradients = world.Split(0);

    public TrainingResult Run(Statistics statistics, DigitSet train, DigitSet test, int seed)
    {
        Replica replica = new(options, statistics == Statistics.Sync ? _statistics : null, seed);
        Shard shard = new(train, world, seed);
        TimeSpan[] times = new TimeSpan[options.Steps];
        StepTraffic traffic = default;
        world.Barrier("start of a training");
        for (int i = 0; i < options.Steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            traffic = Step(replica, shard.NextBatch(options.Images), traffic);
            times[i] = Stopwatch.GetElapsedTime(start);
        }

        Array.Sort(times);
        return new TrainingResult(
            statistics,
            Accuracy(replica, test),
            times[times.Length / 2],
            traffic,
            Agreement.Of(replica.Parameters(), world),
            Agreement.Of(replica.RunningBuffers(), world));
    }

    /// <summary>Leaves the groups, which ends operations of others that this rank will not come to.</summary>
    public void Dispose()
    {
        _gradients.Dispose();
        _statistics.Dispose();
    }

    /// <summary>What rank 0 finds, on all ranks: with local statistics each would find something else, by its own buffers.</summary>
    private double Accuracy(Replica replica, DigitSet test)
    {
        double[] accuracy = [world.Rank == 0 ? replica.Accuracy(test) : 0];
        world.AllReduce(accuracy, "accuracy");
        return accuracy[0];
    }

    /// <summary>One step, after which all copies are equal again. Returns the traffic so far.</summary>
    private StepTraffic Step(Replica replica, DigitSet batch, StepTraffic traffic)
    {
        CollectiveTraffic before = _statistics.Traffic;
        Tensor<float> logits = replica.Forward(batch.AllImages());
        CollectiveTraffic between = _statistics.Traffic;
        (_, Tensor<float> gradient) = SoftmaxCrossEntropy.Evaluate(logits, batch.Labels);
        replica.Backward(gradient);
        CollectiveTraffic after = _statistics.Traffic;

        CollectiveTraffic beforeGradients = _gradients.Traffic;
        replica.AverageGradients(_gradients);
        replica.Step(options.LearningRate);
        return new StepTraffic(
            traffic.Forward + between - before,
            traffic.Backward + after - between,
            traffic.Gradients + _gradients.Traffic - beforeGradients);
    }
}
