using System.Text.Json;
using System.Text.Json.Serialization;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Results;

namespace NormInterop.PeerBench.Reports;

/// <summary>Everything, single samples included, for programs.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
    };

    public static string Write(BenchReport report) => JsonSerializer.Serialize(
        new
        {
            report.Setup,
            report.Errors,
            report.NotTimed,
            Summary = new
            {
                report.Summary.Peers,
                report.Summary.Limits,
                Shortfalls = report.Summary.Shortfalls
                    .Select(entry => new { Case = $"{entry.Result.Case}", entry.Measure, entry.Value, entry.Bar }),
                HalfOverFloat = report.Summary.Speedups
                    .Select(entry => new { Case = $"{entry.Result.Case}", entry.OverFloat, entry.HasBar }),
            },
            Cases = report.Results.Select(Describe),
        },
        Options) + "\n";

    private static object Describe(CaseResult result)
    {
        Case entry = result.Case;
        return new
        {
            Family = entry.Family.Text(),
            Shape = entry.Shape.Lengths,
            Groups = entry.Groups > 0 ? entry.Groups : (int?)null,
            Layout = entry.Layout.Text(),
            Pass = entry.Pass.Text(),
            DataType = entry.DataType.Text(),
            Size = result.Size.Text(),
            entry.Bytes,
            AgainstLibtorch = result.Against(PeerSet.Torch),
            AgainstOneDnn = result.Against(PeerSet.OneDnn),
            AgainstReference = result.Against(ManagedReference.Name),
            AgainstFasterPeer = result.AgainstPeers,
            result.FractionOfLimit,
            Bar = Bars.OfLimit(entry, result.Size),
            result.OthersProcessors,
            result.Unsupported,
            Contestants = result.Measurements.Select(measurement => new
            {
                measurement.Name,
                measurement.Implementation,
                MedianSeconds = measurement.Median,
                measurement.Calls,
                measurement.FaultsPerCall,
                measurement.Difference,
                measurement.Seconds,
            }),
        };
    }
}
