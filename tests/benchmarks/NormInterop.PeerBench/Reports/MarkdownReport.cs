using System.Text;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Results;

namespace NormInterop.PeerBench.Reports;

/// <summary>The tables, to be pasted into a document.</summary>
internal static class MarkdownReport
{
    public static string Write(BenchReport report)
    {
        StringBuilder text = new();
        text.Append("# ").Append(Texts.Title).Append("\n\n");
        AppendList(text, Texts.Setup(report.Setup));
        AppendList(text, Texts.Doubts(report));
        AppendSummary(text, report.Summary);
        text.Append("\n## How to read this\n\n");
        AppendList(text, Texts.Method);
        foreach (IGrouping<Family, CaseResult> family in report.Results.GroupBy(result => result.Case.Family))
        {
            text.Append("\n## ").Append(family.Key.Text()).Append("\n\n");
            AppendCases(text, [.. family]);
        }

        return text.ToString();
    }

    private static void AppendSummary(StringBuilder text, Summary summary)
    {
        text.Append("\n## Summary (float)\n\n");
        if (summary.Peers.Count > 0)
        {
            Table table = new("Times as fast as|<geometric mean|<lowest|<cases");
            foreach (Mean mean in summary.Peers)
                table.Add(mean.Of, Format.Times(mean.Value), Format.Times(mean.Lowest), $"{mean.Count}");
            table.AppendTo(text);
        }

        if (summary.Limits.Count > 0)
        {
            Table table = new("Of the limit's speed|<geometric mean|<lowest|<cases");
            foreach (Mean mean in summary.Limits)
                table.Add(mean.Of, Format.Percent(mean.Value), Format.Percent(mean.Lowest), $"{mean.Count}");
            table.AppendTo(text);
        }

        if (summary.Speedups.Count > 0)
        {
            Table table = new("16 bits against float|Type|Size|<times as fast|<10..90 %");
            foreach (Speedup speedup in summary.Speedups)
            {
                Case entry = speedup.Result.Case;
                string label = $"{entry.Layer} {entry.Shape} {entry.Layout.Text()} {entry.Pass.Text()}";
                Ratio ratio = speedup.OverFloat;
                table.Add(label, entry.DataType.Text(), speedup.Result.Size.Text(), Format.Times(ratio), Format.Spread(ratio));
            }

            table.AppendTo(text);
        }

        text.Append("### Below a bar: ").Append(summary.Shortfalls.Count).Append("\n\n");
        if (summary.Shortfalls.Count == 0)
            return;
        Table below = new("Case|Size|Measure|<is|<bar");
        foreach (Shortfall shortfall in summary.Shortfalls)
        {
            below.Add(
                $"{shortfall.Result.Case}", shortfall.Result.Size.Text(), shortfall.Measure, Format.Times(shortfall.Value),
                Format.Times(shortfall.Bar));
        }

        below.AppendTo(text);
    }

    private static void AppendCases(StringBuilder text, IReadOnlyList<CaseResult> results)
    {
        Table table = new(
            "Shape|Layout|Pass|Type|Size|<MB|<µs|<libtorch µs|<times|<10..90 %|<oneDNN µs|<times|<10..90 %|<reference µs|<times"
            + "|<limit µs|<of limit|<faults");
        foreach (CaseResult result in results)
        {
            Case entry = result.Case;
            List<string> cells =
            [
                entry.Family == Family.GroupNorm ? $"{entry.Shape} in {entry.Groups}" : $"{entry.Shape}",
                entry.Layout.Text(), entry.Pass.Text(), entry.DataType.Text(), result.Size.Text(), Format.Megabytes(entry.Bytes),
                Format.Microseconds(result.Own.Median),
            ];
            foreach (string peer in new[] { PeerSet.Torch, PeerSet.OneDnn })
            {
                cells.Add(Time(result, peer));
                cells.Add(Format.Times(result.Against(peer)));
                cells.Add(Format.Spread(result.Against(peer)));
            }

            cells.Add(Time(result, ManagedReference.Name));
            cells.Add(Format.Times(result.Against(ManagedReference.Name)));
            cells.Add(result.Limit is { } limit ? Format.Microseconds(limit.Median) : Format.None);
            cells.Add(Format.Percent(result.FractionOfLimit));
            cells.Add(Format.Number(result.Measurements.Max(measurement => measurement.FaultsPerCall), "0.##"));
            table.Add([.. cells]);
        }

        table.AppendTo(text);
    }

    private static string Time(CaseResult result, string name) =>
        result.Of(name) is { } other ? Format.Microseconds(other.Median) : result.Unsupported.ContainsKey(name) ? "n/a" : Format.None;

    private static void AppendList(StringBuilder text, IEnumerable<string> lines)
    {
        foreach (string line in lines)
            text.Append("* ").Append(line).Append('\n');
    }

    /// <summary>A table, written once its rows are known.</summary>
    /// <param name="header">Names of the columns, between bars; after a "&lt;" those that are numbers.</param>
    private sealed class Table(string header)
    {
        private readonly string[] _columns = header.Split('|');
        private readonly List<string[]> _rows = [];

        public void Add(params string[] cells) => _rows.Add(cells);

        public void AppendTo(StringBuilder text)
        {
            AppendRow(text, _columns.Select(column => column.TrimStart('<')));
            text.Append('|').AppendJoin('|', _columns.Select(column => column.StartsWith('<') ? "---:" : "---")).Append("|\n");
            _rows.ForEach(row => AppendRow(text, row));
            text.Append('\n');
        }

        private static void AppendRow(StringBuilder text, IEnumerable<string> cells) =>
            text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
