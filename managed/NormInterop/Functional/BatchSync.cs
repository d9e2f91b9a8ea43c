using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NormInterop.Functional;

/// <summary>
/// What a synchronized BatchNorm has to ask the other ranks: the moments of all batches in a forward, and in a backward the sums of all
/// gradients. One message each.
/// </summary>
internal sealed class BatchSync
{
    /// <summary>Layers of a group are numbered in the order in which they are made, which is the same on all ranks.</summary>
    private static readonly ConditionalWeakTable<ICollective, StrongBox<int>> s_layers = [];

    private readonly ICollective _group;
    private readonly string _forward, _backward;
    private readonly double[] _own, _all, _sums;

    internal BatchSync(ICollective group, int channels)
    {
        int number = Interlocked.Increment(ref s_layers.GetOrCreateValue(group).Value);
        string name = string.Create(CultureInfo.InvariantCulture, $"SyncBatchNorm {number}");
        (_forward, _backward) = ($"{name} forward", $"{name} backward");
        _group = group;
        Channels = channels;
        _own = new double[(2 * channels) + 1];
        _all = new double[checked(_own.Length * group.WorldSize)];
        _sums = new double[4 * channels];
    }

    internal int Channels { get; }

    /// <summary>
    /// A forward writes the moments of its own batch here; <see cref="MergeMoments"/> makes them those of all.
    /// </summary>
    internal Span<double> Mean => _own.AsSpan(1, Channels);

    /// <summary>The sum of squared deviations from the mean.</summary>
    internal Span<double> M2 => _own.AsSpan(1 + Channels, Channels);

    /// <summary>1 / sqrt(var + eps), with the biased variance; 0 where var + eps is 0.</summary>
    internal Span<double> Invstd => _sums.AsSpan(0, Channels);

    /// <summary>Values per channel behind the merged moments.</summary>
    internal double Count { get; private set; }

    /// <summary>A backward writes the sums of its own gradients here: sum(dy), then sum(dy * (x - mean)).</summary>
    internal Span<double> OwnSums => _sums.AsSpan(0, 2 * Channels);

    /// <summary>The sums of all ranks, after <see cref="ReduceSums"/>.</summary>
    internal Span<double> AllSums => _sums.AsSpan(2 * Channels, 2 * Channels);

    /// <summary>
    /// Makes the moments those of all ranks' batches, by the formula of Chan, Golub and LeVeque (1979), in the order of the ranks: so all
    /// ranks get the same bits. A rank without values does not count.
    /// </summary>
    /// <param name="count">Values per channel of this rank's batch.</param>
    internal void MergeMoments(double count)
    {
        _own[0] = count;
        _group.AllGather(_own, _all, _forward);
        double merged = 0;
        for (int r = 0; r < _group.WorldSize; r++)
        {
            ReadOnlySpan<double> of = _all.AsSpan(r * _own.Length, _own.Length);
            if (!(of[0] > 0))
                continue;
            if (merged == 0)
                of[1..].CopyTo(_own.AsSpan(1));
            else
                Merge(Mean, M2, merged, of.Slice(1, Channels), of.Slice(1 + Channels, Channels), of[0]);
            merged += of[0];
        }

        Count = merged;
    }

    internal void ReduceSums()
    {
        OwnSums.CopyTo(AllSums);
        _group.AllReduce(AllSums, _backward);
    }

    /// <summary>
    /// delta = mean2 - mean; mean += delta * n2 / n; m2 += m2 of the other + delta^2 * n1 * n2 / n. The channels do not meet, and no
    /// product is fused: vectors of any width give the same bits.
    /// </summary>
    private static void Merge(
        Span<double> mean, Span<double> m2, double count, ReadOnlySpan<double> otherMean, ReadOnlySpan<double> otherM2, double otherCount)
    {
        double part = otherCount / (count + otherCount);
        double weight = count * part;
        int vectors = mean.Length / Vector<double>.Count * Vector<double>.Count;
        Span<Vector<double>> means = MemoryMarshal.Cast<double, Vector<double>>(mean[..vectors]);
        Span<Vector<double>> m2s = MemoryMarshal.Cast<double, Vector<double>>(m2[..vectors]);
        ReadOnlySpan<Vector<double>> otherMeans = MemoryMarshal.Cast<double, Vector<double>>(otherMean[..vectors]);
        ReadOnlySpan<Vector<double>> otherM2s = MemoryMarshal.Cast<double, Vector<double>>(otherM2[..vectors]);
        for (int i = 0; i < means.Length; i++)
        {
            Vector<double> delta = otherMeans[i] - means[i];
            means[i] += delta * part;
            m2s[i] += otherM2s[i] + (delta * delta * weight);
        }

        for (int i = vectors; i < mean.Length; i++)
        {
            double delta = otherMean[i] - mean[i];
            mean[i] += delta * part;
            m2[i] += otherM2[i] + (delta * delta * weight);
        }
    }
}
