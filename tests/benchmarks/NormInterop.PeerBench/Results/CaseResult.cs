using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Results;

/// <summary>What one contestant did on a case.</summary>
/// <param name="Name">Who.</param>
/// <param name="Implementation">What did the work.</param>
/// <param name="Seconds">Of a call, by round.</param>
/// <param name="Calls">Calls in a turn.</param>
/// <param name="FaultsPerCall">Page faults.</param>
/// <param name="Difference">Largest difference from our results, as a share of what is tolerated; null for ourselves.</param>
internal sealed record Measurement(
    string Name, string Implementation, IReadOnlyList<double> Seconds, int Calls, double FaultsPerCall, double? Difference)
{
    public double Median { get; } = Statistics.Median(Seconds);
}

/// <summary>A contestant against us: how many times as fast we are.</summary>
/// <param name="Times">Ratio of the medians.</param>
/// <param name="Low">10th percentile of the ratios within a round.</param>
/// <param name="High">90th percentile.</param>
internal readonly record struct Ratio(double Times, double Low, double High);

/// <summary>A case, timed.</summary>
internal sealed class CaseResult
{
    public required Case Case { get; init; }

    public required SizeClass Size { get; init; }

    /// <summary>Ourselves first.</summary>
    public required IReadOnlyList<Measurement> Measurements { get; init; }

    /// <summary>Why contestants have nothing for this case, by name.</summary>
    public required IReadOnlyDictionary<string, string> Unsupported { get; init; }

    /// <summary>Processors that other work took meanwhile; null where the system does not say.</summary>
    public required double? OthersProcessors { get; init; }

    public Measurement Own => Measurements[0];

    /// <summary>The faster one of the two ways to move the bytes, or null if they were not timed.</summary>
    public Measurement? Limit => Measurements
        .Where(entry => entry.Name is PeerSet.RegularLimit or PeerSet.StreamingLimit)
        .MinBy(entry => entry.Median);

    /// <summary>The limit's time divided by ours: 1 is as fast as the machine moves the bytes.</summary>
    public double? FractionOfLimit => Limit is { } limit ? limit.Median / Own.Median : null;

    /// <summary>How many times as fast as the faster one of the peers we are, or null if none was timed.</summary>
    public double? AgainstPeers
    {
        get
        {
            double?[] times = [Against(PeerSet.Torch)?.Times, Against(PeerSet.OneDnn)?.Times];
            return times.Min();
        }
    }

    public Measurement? Of(string name) => Measurements.FirstOrDefault(entry => entry.Name == name);

    public Ratio? Against(string name) => Of(name) is { } other ? Against(other) : null;

    public Ratio Against(Measurement other)
    {
        double[] within = [.. other.Seconds.Zip(Own.Seconds, (theirs, ours) => theirs / ours)];
        return new(other.Median / Own.Median, Statistics.Percentile(within, 0.1), Statistics.Percentile(within, 0.9));
    }
}
