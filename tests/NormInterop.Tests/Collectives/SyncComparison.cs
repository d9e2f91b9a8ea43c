using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>A SyncBatchNorm on the shards of a batch against a BatchNorm on the whole of it.</summary>
internal sealed record SyncComparison(int[] Shards, int Channels, int[] Positions)
{
    internal Form Form { get; init; }

    internal Activation Activation { get; init; }

    internal bool Residual { get; init; }

    internal double? Momentum { get; init; } = 0.1;

    internal float Offset { get; init; }

    /// <summary>How far results may be apart, absolute; parameter gradients relative to the largest.</summary>
    internal double Tolerance { get; init; }

    public override string ToString() =>
        $"shards {string.Join('+', Shards)}, {Channels} channels, {string.Join('x', Positions)}, {Form}, {Activation}"
        + $"{(Residual ? " of a sum" : "")}, offset {Offset}";

    /// <summary>The comparisons of a group of so many ranks, by data type; together they go through all there is to combine.</summary>
    internal static IEnumerable<SyncComparison> All(int ranks, double tolerance)
    {
        int[][] shards = ranks switch
        {
            1 => [[6]],
            2 => [[5, 0], [3, 4]],
            3 => [[1, 0, 4], [2, 2, 2]],
            _ => [[3, 1, 0, 5], [2, 2, 2, 2], [0, 0, 0, 9]],
        };
        foreach (int[] shard in shards)
        {
            foreach (int channels in (int[])[1, 5, 17, 64])
            {
                yield return new(shard, channels, []) { Tolerance = tolerance };
                yield return new(shard, channels, [3, 5]) { Tolerance = tolerance, Momentum = null };
                yield return new(shard, channels, [4, 4]) { Tolerance = tolerance, Form = Form.ChannelsLast };
            }

            yield return new(shard, 6, [7, 7]) { Tolerance = tolerance, Form = Form.Sliced, Offset = 8 };
            foreach (Form form in (Form[])[Form.Contiguous, Form.ChannelsLast])
            {
                yield return new(shard, 9, [3, 3]) { Tolerance = tolerance, Form = form, Activation = Activation.ReLU };
                yield return new(shard, 9, [3, 3]) { Tolerance = tolerance, Form = form, Activation = Activation.ReLU, Residual = true };
                yield return new(shard, 9, [3, 3]) { Tolerance = tolerance, Form = form, Activation = Activation.SiLU };
            }
        }
    }

    /// <summary>Compares on this rank. All ranks hold the whole batch, and each gives its shard to the layer.</summary>
    internal void Run<TData, T>(ICollective group)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        BatchNorm<T> whole = Positions.Length == 0
            ? new BatchNorm1d<T>(Channels, momentum: Momentum) { Activation = Activation }
            : new BatchNorm2d<T>(Channels, momentum: Momentum) { Activation = Activation };
        SyncBatchNorm<T> part = new(Channels, group, momentum: Momentum) { Activation = Activation };
        foreach (BatchNorm<T> layer in (BatchNorm<T>[])[whole, part])
        {
            // Around 1 and 0: the tolerance is absolute, and so is for results of that size.
            Data.Fill(layer.Weight!.Value, Array.ConvertAll(Values.Of(1, Channels), v => 1 + (v / 8)));
            Data.Fill(layer.Bias!.Value, Array.ConvertAll(Values.Of(2, Channels), v => v / 4));
        }

        int all = Shards.Sum(), first = Shards.Take(group.Rank).Sum(), count = Shards[group.Rank];
        for (ulong step = 0; step < 2; step++)
        {
            Batch<TData> Make(int from, int samples) => new(this, step, from, samples);
            Result<TData> expected = Make(0, all).Through(whole);
            NormContext<T> context = new();
            Result<TData> actual = Make(first, count).Through(part, context, out double[] statistics);
            string name = $"rank {group.Rank}, step {step}, {this}";
            AssertSame(Slice(expected.Output, first, count, all), actual.Output, $"{name}: y");
            AssertSame(Slice(expected.GradInput, first, count, all), actual.GradInput, $"{name}: dx");
            AssertSame(Slice(expected.GradResidual, first, count, all), actual.GradResidual, $"{name}: gradient of the residual");
            Close.Within(Tolerance, Data.Flat(whole.RunningMean!), Data.Flat(part.RunningMean!), $"{name}: running mean");
            Close.Within(Tolerance, Data.Flat(whole.RunningVar!), Data.Flat(part.RunningVar!), $"{name}: running variance");
            Assert.AreEqual(whole.NumBatchesTracked, part.NumBatchesTracked, name);
            AssertEqualOnAllRanks(group, [.. statistics, .. Data.Flat(part.RunningMean!), .. Data.Flat(part.RunningVar!)], name);
            AssertGradients(group, whole.Weight!, part.Weight!, $"{name}: weight");
            AssertGradients(group, whole.Bias!, part.Bias!, $"{name}: bias");
        }
    }

    private void AssertSame(double[] expected, double[] actual, string name) => Close.Within(Tolerance, expected, actual, name);

    private void AssertGradients<T>(ICollective group, Parameter<T> whole, Parameter<T> part, string name)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] sums = Data.Flat(part.Gradient);
        group.AllReduce(sums, "gradients of the test");
        Close.Relative(4 * Tolerance, Data.Flat(whole.Gradient), sums, name, scale: 1);
    }

    internal static void AssertEqualOnAllRanks(ICollective group, double[] values, string name)
    {
        double[] all = new double[values.Length * group.WorldSize];
        group.AllGather(values, all, "bits of the test");
        for (int i = 0; i < all.Length; i++)
        {
            Assert.AreEqual(
                BitConverter.DoubleToInt64Bits(values[i % values.Length]),
                BitConverter.DoubleToInt64Bits(all[i]),
                $"{name}: bits of statistic {i % values.Length} on rank {i / values.Length} and here");
        }
    }

    private static double[] Slice(double[] whole, int first, int count, int all) =>
        whole.Length == 0 ? [] : whole[(whole.Length / all * first)..(whole.Length / all * (first + count))];

    private sealed record Result<TData>(double[] Output, double[] GradInput, double[] GradResidual);

    /// <summary>Some samples of the batch of a step.</summary>
    private sealed class Batch<TData>(SyncComparison of, ulong step, int from, int samples)
        where TData : unmanaged, INumberBase<TData>
    {
        internal Result<TData> Through<T>(BatchNorm<T> layer)
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => Through(layer, new NormContext<T>(), out _);

        internal Result<TData> Through<T>(BatchNorm<T> layer, NormContext<T> context, out double[] statistics)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            Tensor<TData> x = Make(10 + step, of.Offset), dy = Make(20 + step, 0);
            Tensor<TData> y = of.Residual ? layer.Forward(x, Make(30 + step, 0), context) : layer.Forward(x, context);
            int channels = of.Channels;
            statistics = [.. context.Snapshot().Mean[..channels], .. context.Snapshot().Invstd[..channels]];
            Tensor<TData>? gradResidual = null;
            Tensor<TData> dx = of.Residual ? layer.Backward(dy, out gradResidual, context) : layer.Backward(dy, context);
            return new(Data.Flat(y), Data.Flat(dx), gradResidual is null ? [] : Data.Flat(gradResidual));
        }

        private Tensor<TData> Make(ulong seed, float offset)
        {
            int[] shape = [samples, of.Channels, .. of.Positions];
            int each = Tensors.Count([of.Channels, .. of.Positions]);
            double[] all = Data.SixteenBit(seed, of.Shards.Sum() * each, offset);
            return Data.Make<TData>(all[(from * each)..((from + samples) * each)], shape, of.Form);
        }
    }
}
