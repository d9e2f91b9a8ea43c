using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>What a SyncBatchNorm does beside normalizing: modes, edges, conversion. By threads.</summary>
[TestClass]
public sealed class SyncBatchNormTests
{
    private const int C = 3;

    /// <summary>Half and BFloat16: the shards of a batch give the numbers of the whole, or their neighbours.</summary>
    [TestMethod]
    public void SixteenBitData_IsSynchronizedLikeAllOther()
    {
        RankThreads.Run(3, group =>
        {
            foreach (SyncComparison comparison in SyncComparison.All(3, 4.0 / 1024))
                comparison.Run<Half, float>(group);
            foreach (SyncComparison comparison in SyncComparison.All(3, 4.0 / 128))
                comparison.Run<BFloat16, float>(group);
        });
    }

    /// <summary>One value per channel on every rank is enough: together they are several.</summary>
    [TestMethod]
    public void OneValueOnEachRank_IsLegal()
    {
        RankThreads.Run(2, group =>
        {
            SyncBatchNorm<float> layer = new(1, group, eps: 0);
            Tensor<float> y = layer.Forward(Tensors.Make([group.Rank == 0 ? 1 : 3], [1, 1]));
            Assert.AreEqual(group.Rank == 0 ? -1f : 1f, y[0, 0]);
            Assert.AreEqual(0.9f + (0.1f * 2), layer.RunningVar![0], 1e-6f);
        });
    }

    /// <summary>One value over all ranks is refused by all of them, and changes nothing; the group goes on.</summary>
    [TestMethod]
    public void OneValueOverAllRanks_IsRefusedEverywhere()
    {
        RankThreads.Run(3, group =>
        {
            SyncBatchNorm<float> layer = new(C, group);
            Tensor<float> x = Tensors.Random(1, [group.Rank == 1 ? 1 : 0, C]);
            var e = Assert.ThrowsExactly<ArgumentException>(() => layer.Forward(x));
            Assert.Contains("Expected more than 1 value per channel when training, got 1 over all ranks", e.Message);
            Assert.AreEqual(0, layer.NumBatchesTracked);
            Assert.AreEqual(0f, layer.RunningMean![0]);
            Assert.AreEqual(1f, layer.RunningVar![0]);
            layer.Forward(Tensors.Random(1, [2, C]));
            Assert.AreEqual(1, layer.NumBatchesTracked);
        });
    }

    /// <summary>Empty everywhere: buffers do not move, and gradients are 0.</summary>
    [TestMethod]
    public void EmptyOnAllRanks_MovesNoBuffer()
    {
        RankThreads.Run(2, group =>
        {
            SyncBatchNorm<double> layer = new(C, group);
            Tensor<double> y = layer.Forward(Tensor.CreateFromShape<double>([0, C, 4]));
            Tensor<double> dx = layer.Backward(Tensor.CreateFromShape<double>([0, C, 4]));
            CollectionAssert.AreEqual(new nint[] { 0, C, 4 }, y.Lengths.ToArray());
            CollectionAssert.AreEqual(new nint[] { 0, C, 4 }, dx.Lengths.ToArray());
            CollectionAssert.AreEqual(new double[C], Data.Flat(layer.RunningMean!));
            CollectionAssert.AreEqual(new[] { 1.0, 1, 1 }, Data.Flat(layer.RunningVar!));
            CollectionAssert.AreEqual(new double[C], Data.Flat(layer.Bias!.Gradient));
        });
    }

    /// <summary>Evaluation sends nothing, with running buffers and without, and neither does a group of one.</summary>
    [TestMethod]
    public void Evaluation_SendsNothing()
    {
        RankThreads.Run(2, group =>
        {
            // Only one rank evaluates: it would wait for ever for the others.
            if (group.Rank == 0)
            {
                foreach (bool tracks in (bool[])[true, false])
                {
                    SyncBatchNorm<float> layer = new SyncBatchNorm<float>(C, group, trackRunningStats: tracks).Eval();
                    BatchNorm2d<float> plain = new BatchNorm2d<float>(C, trackRunningStats: tracks).Eval();
                    Tensor<float> x = Tensors.Random(1, [2, C, 3, 3]);
                    CollectionAssert.AreEqual(Tensors.Flat(plain.Forward(x)), Tensors.Flat(layer.Forward(x)));
                    CollectionAssert.AreEqual(Tensors.Flat(plain.Backward(x)), Tensors.Flat(layer.Backward(x)));
                }
            }

            Assert.AreEqual(default, group.Traffic);
        });
        using LocalCollective alone = LocalCollective.Create(1)[0];
        SyncBatchNorm<float> single = new(C, alone);
        single.Backward(single.Forward(Tensors.Random(1, [2, C])));
        Assert.AreEqual(default, alone.Traffic);
        var e = Assert.ThrowsExactly<ArgumentException>(() => single.Forward(Tensors.Random(1, [1, C])));
        Assert.Contains("got input size [1, 3]", e.Message);
    }

    /// <summary>One message for a forward and one for a backward, of 2C + 1 and 2C values.</summary>
    [TestMethod]
    public void Step_SendsTwoMessages()
    {
        RankThreads.Run(4, group =>
        {
            SyncBatchNorm<float> layer = new(4000, group);
            Tensor<float> y = layer.Forward(Tensors.Random(1, [2, 4000]));
            CollectiveTraffic forward = group.Traffic;
            layer.Backward(y);
            CollectiveTraffic backward = group.Traffic - forward;
            Assert.AreEqual((1L, 8001L), (forward.Messages, forward.Values));
            Assert.AreEqual((1L, 8000L), (backward.Messages, backward.Values));
            Assert.AreEqual(64 + (8 * 8001L), forward.Bytes);
        });
    }

    /// <summary>A converted layer has the parameters and buffers of the old one, not copies; and its settings, mode and counter.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void FromBatchNorm_SharesWhatTheLayerHas(bool training)
    {
        using LocalCollective group = LocalCollective.Create(1)[0];
        BatchNorm2d<float> old = new(C, eps: 1e-3, momentum: null) { Activation = Activation.ReLU, MaxThreads = 3 };
        old.Forward(Tensors.Random(1, [2, C, 2, 2]));
        old.Train(training);
        SyncBatchNorm<float> layer = SyncBatchNorm<float>.FromBatchNorm(old, group);
        Assert.AreSame(old.Weight, layer.Weight);
        Assert.AreSame(old.Bias, layer.Bias);
        Assert.AreSame(old.RunningMean, layer.RunningMean);
        Assert.AreSame(old.RunningVar, layer.RunningVar);
        Assert.AreEqual(
            (old.Eps, old.Momentum, old.Activation, old.MaxThreads, old.NumBatchesTracked, training),
            (layer.Eps, layer.Momentum, layer.Activation, layer.MaxThreads, layer.NumBatchesTracked, layer.IsTraining));
        Assert.AreSame(group, layer.Group);
        Assert.AreEqual("SyncBatchNorm(3, eps=0.001, momentum=None, affine=True, track_running_stats=True, activation=ReLU)", $"{layer}");
        SyncBatchNorm<double> bare = SyncBatchNorm<double>.FromBatchNorm(
            new BatchNorm1d<double>(C, affine: false, trackRunningStats: false), group);
        Assert.IsNull(bare.Weight ?? bare.Bias);
        Assert.IsNull(bare.RunningMean ?? bare.RunningVar);
    }

    /// <summary>What is refused before anything is sent: the others would wait in vain, and so this must be the caller's mistake.</summary>
    [TestMethod]
    public void BadInput_IsRefusedWithoutSending()
    {
        RankThreads.Run(2, group =>
        {
            SyncBatchNorm<float> layer = new(C, group);
            Assert.Contains("expected at least 2D input (got 1D input)", Refused([C]));
            Assert.Contains("expected input with 3 channels (got 4 channels, input size [2, 4])", Refused([2, 4]));
            Assert.Contains("at least 1 value per channel", Refused([2, C, 0]));
            Assert.ThrowsExactly<ArgumentNullException>(() => new SyncBatchNorm<float>(C, null!));
            Assert.ThrowsExactly<ArgumentNullException>(() => SyncBatchNorm<float>.FromBatchNorm(null!, group));
            Assert.ThrowsExactly<ArgumentNullException>(() => SyncBatchNorm<float>.FromBatchNorm(new BatchNorm1d<float>(C), null!));
            Assert.AreEqual(default, group.Traffic);

            string Refused(int[] shape) => Assert.ThrowsExactly<ArgumentException>(() => layer.Forward(Tensors.Random(1, shape))).Message;
        });
    }

    /// <summary>A forward whose backward comes later, after another forward: contexts keep what belongs to each.</summary>
    [TestMethod]
    public void Contexts_KeepTheirCounts()
    {
        RankThreads.Run(2, group =>
        {
            SyncBatchNorm<double> layer = new(C, group), other = new(C, group);
            NormContext<double> small = new(), large = new();
            Tensor<double> a = Data.Make<double>(Data.Doubles(Values.Of(1, 2 * C)), [2, C]);
            Tensor<double> b = Data.Make<double>(Data.Doubles(Values.Of(2, 8 * C)), [8, C]);
            layer.Forward(a, small);
            layer.Forward(b, large);
            Tensor<double> fromLarge = layer.Backward(b, large), fromSmall = layer.Backward(a, small);
            other.Forward(a);
            CollectionAssert.AreEqual(Data.Flat(other.Backward(a)), Data.Flat(fromSmall));
            other.Forward(b);
            CollectionAssert.AreEqual(Data.Flat(other.Backward(b)), Data.Flat(fromLarge));
        });
    }

    /// <summary>A step of the span forms allocates nothing once memory has grown, threads included.</summary>
    [TestMethod]
    public void Step_AllocatesNothing()
    {
        long[] allocated = new long[2];
        RankThreads.Run(2, group =>
        {
            SyncBatchNorm<float> layer = new(C, group);
            NormContext<float> context = new();
            Tensor<float> x = Tensors.Random(1, [4, C, 5]), y = Tensors.Poisoned([4, C, 5]), dx = Tensors.Poisoned([4, C, 5]);
            for (int i = 0; i < 40; i++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                layer.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                layer.Backward(y.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
                allocated[group.Rank] = GC.GetAllocatedBytesForCurrentThread() - before;
            }
        });
        CollectionAssert.AreEqual(new long[2], allocated);
    }
}
