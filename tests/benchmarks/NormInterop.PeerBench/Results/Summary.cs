using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Results;

/// <summary>A case that is below a bar.</summary>
internal sealed record Shortfall(CaseResult Result, string Measure, double Value, double Bar);

/// <summary>A mean over some cases.</summary>
internal sealed record Mean(string Of, double Value, double Lowest, int Count);

/// <summary>A case in 16 bits beside the same in float.</summary>
internal sealed record Speedup(CaseResult Result, Ratio OverFloat)
{
    /// <summary>Whether the bar holds: its own tensors are larger than the cache.</summary>
    public bool HasBar => Result.Size == SizeClass.Beyond;
}

/// <summary>What the cases of a run say together.</summary>
internal sealed class Summary
{
    public Summary(IReadOnlyList<CaseResult> results)
    {
        CaseResult[] floats = [.. results.Where(result => result.Case.DataType == DataType.Float)];
        Peers = [.. new[] { PeerSet.Torch, PeerSet.OneDnn }.SelectMany(peer => AgainstPeer(floats, peer))];
        Limits = [.. floats.GroupBy(LimitGroup).Select(group => OfLimit(group.Key, group)).Where(mean => mean.Count > 0)];
        Speedups =
        [
            .. from result in results
               let ratio = result.Against(ManagedApi.FloatName)
               where ratio is not null
               select new Speedup(result, ratio.Value),
        ];
        Shortfalls = [.. results.SelectMany(Below).Concat(Speedups.Where(IsBelow).Select(OfSpeedup))];
        Judged = results.Count(result => result.Case.DataType == DataType.Float);
    }

    /// <summary>Times as fast as each peer on float: all cases together, then by family.</summary>
    public IReadOnlyList<Mean> Peers { get; }

    /// <summary>Fractions of the limit on float, by where the tensors lie and by pass.</summary>
    public IReadOnlyList<Mean> Limits { get; }

    /// <summary>Types of 16 bits against float.</summary>
    public IReadOnlyList<Speedup> Speedups { get; }

    public IReadOnlyList<Shortfall> Shortfalls { get; }

    /// <summary>Number of float cases.</summary>
    public int Judged { get; }

    private static IEnumerable<Mean> AgainstPeer(CaseResult[] results, string peer)
    {
        CaseResult[] with = [.. results.Where(result => result.Of(peer) is not null)];
        Mean Of(string what, IEnumerable<CaseResult> some)
        {
            double[] times = [.. some.Select(result => result.Against(peer)!.Value.Times)];
            return new(what, Statistics.GeometricMean(times), times.Min(), times.Length);
        }

        if (with.Length == 0)
            return [];
        IEnumerable<Mean> families = with.GroupBy(result => result.Case.Family).Select(group => Of($"{peer}, {group.Key.Text()}", group));
        return [Of(peer, with), .. families];
    }

    private static string LimitGroup(CaseResult result)
    {
        string pass = result.Case switch
        {
            { Pass: Pass.Backward or Pass.InferenceBackward } => "backward",
            { Family: Family.BatchNorm, Pass: Pass.Forward } => "training forward of BatchNorm",
            _ => "other forwards",
        };
        return $"{result.Size.Text()}, {pass}";
    }

    private static Mean OfLimit(string what, IEnumerable<CaseResult> results)
    {
        double[] fractions = [.. results.Select(result => result.FractionOfLimit).OfType<double>()];
        return new(what, Statistics.GeometricMean(fractions), fractions.DefaultIfEmpty(double.NaN).Min(), fractions.Length);
    }

    private static IEnumerable<Shortfall> Below(CaseResult result)
    {
        if (result.Case.DataType == DataType.Float && result.AgainstPeers is { } times && times < Bars.Peer)
            yield return new(result, "times as fast as the faster peer", times, Bars.Peer);
        if (Bars.OfLimit(result.Case, result.Size) is { } bar && result.FractionOfLimit is { } fraction && fraction < bar)
            yield return new(result, "of the limit", fraction, bar);
    }

    private static bool IsBelow(Speedup speedup) => speedup.HasBar && speedup.OverFloat.Times < Bars.HalfOfFloat;

    private static Shortfall OfSpeedup(Speedup speedup) =>
        new(speedup.Result, "times as fast as on float", speedup.OverFloat.Times, Bars.HalfOfFloat);
}
