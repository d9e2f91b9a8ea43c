using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>
/// What one epoch brought: the mean loss over its batches, the accuracy on the test images after it, and how much of its training time
/// was spent inside normalization layers.
/// </summary>
internal readonly record struct Epoch(double Loss, double Accuracy, TimeSpan NormalizationTime);

/// <summary>Stochastic gradient descent for one network. Two trainers with the same seed see the same batches in the same order.</summary>
internal sealed class Trainer(string title, Network network, DigitSet train, DigitSet test, Options options, int seed)
{
    private readonly Random _random = new(seed);
    private readonly int[] _order = [.. Enumerable.Range(0, train.Count)];
    private readonly List<Epoch> _epochs = [];

    /// <summary>What tells this run from the other: "with ..." or "without".</summary>
    public string Title => title;

    public Network Network => network;

    public IReadOnlyList<Epoch> Epochs => _epochs;

    /// <summary>Whole batches only: the few images left over take their turn in another epoch's order.</summary>
    public int BatchesPerEpoch => train.Count / options.BatchSize;

    public Epoch RunEpoch(Action onBatch)
    {
        TimeSpan before = network.NormalizationTime;
        DigitsData.Shuffle(_order, _random);
        network.Train();
        double loss = 0;
        for (int batch = 0; batch < BatchesPerEpoch; batch++)
        {
            loss += TrainBatch(train.Select(_order.AsSpan(batch * options.BatchSize, options.BatchSize)));
            onBatch();
        }

        TimeSpan normalization = network.NormalizationTime - before;
        Epoch epoch = new(loss / BatchesPerEpoch, Evaluation.Batched(network, test).Accuracy, normalization);
        _epochs.Add(epoch);
        return epoch;
    }

    private double TrainBatch(DigitSet batch)
    {
        Tensor<float> logits = network.Forward(batch.AllImages());
        (double loss, Tensor<float> gradient) = SoftmaxCrossEntropy.Evaluate(logits, batch.Labels);
        network.Backward(gradient);
        network.Step(options.LearningRate);
        return loss;
    }
}
