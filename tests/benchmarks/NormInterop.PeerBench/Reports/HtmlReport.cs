using System.Net;
using System.Text;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Results;

namespace NormInterop.PeerBench.Reports;

/// <summary>The page: one file that needs nothing else.</summary>
internal static class HtmlReport
{
    private static readonly string Legend = "<div class=\"legend\">\n"
        + Key("""<line class="torch spread" x1="1" x2="25" y1="7" y2="7"/><circle class="torch" cx="13" cy="7" r="4"/>""")
        + "times as fast as libtorch, 10th to 90th percentile</span>\n"
        + Key("""<line class="onednn spread" x1="1" x2="25" y1="7" y2="7"/><path class="onednn" d="M13 2l5 5l-5 5l-5 -5z"/>""")
        + "times as fast as oneDNN</span>\n"
        + Key("""<rect class="limit" x="1" y="2" width="24" height="10" rx="2"/>""") + "part of the limit's speed</span>\n"
        + Key("""<rect class="below" x="1" y="2" width="24" height="10" rx="2"/>""") + "below its bar</span>\n"
        + Key("""<line class="bar" x1="13" x2="13" y1="0" y2="14"/>""") + "the bar</span>\n</div>\n";

    public static string Write(BenchReport report)
    {
        StringBuilder page = new();
        int charts = report.Results.Where(Charts.Has).Select(Group).Distinct().Count();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");

        // A browser asks for an icon otherwise.
        page.Append("<link rel=\"icon\" href=\"data:,\">\n<title>").Append(Texts.Title).Append("</title>\n");
        page.Append("<style>\n").Append(Resource("page.css"));
        page.Append($"</style>\n</head>\n<body data-charts=\"{charts}\" data-rows=\"{report.Results.Count(Charts.Has)}\">\n");
        AppendHead(page, report);
        AppendSummary(page, report.Summary);
        AppendFamilies(page, report.Results);
        AppendCases(page, report.Results);
        page.Append("<h2 id=\"method\">How it was measured</h2>\n<ul>\n");
        foreach (string line in Texts.Method)
            page.Append("<li>").Append(Encode(line)).Append("</li>\n");
        page.Append("</ul>\n<script>\n").Append(Resource("page.js")).Append("</script>\n</body>\n</html>\n");
        return page.ToString();
    }

    private static void AppendHead(StringBuilder page, BenchReport report)
    {
        page.Append("<h1>").Append(Texts.Title).Append("</h1>\n");
        foreach (string line in Texts.Setup(report.Setup))
            page.Append("<p class=\"setup\">").Append(Encode(line)).Append("</p>\n");
        string[] doubts = [.. Texts.Doubts(report)];
        if (doubts.Length > 0)
            page.Append("<div class=\"doubts\">").AppendJoin("<br>\n", doubts.Select(Encode)).Append("</div>\n");
        page.Append("<nav>");
        foreach (Family family in report.Results.Select(result => result.Case.Family).Distinct())
            page.Append($"<a href=\"#{family}\">{family.Text()}</a>");
        page.Append("<a href=\"#all\">All cases</a><a href=\"#method\">How it was measured</a></nav>\n");
    }

    private static void AppendSummary(StringBuilder page, Summary summary)
    {
        page.Append("<div class=\"tiles\">\n");
        foreach (Mean mean in summary.Peers.Where(mean => mean.Of is PeerSet.Torch or PeerSet.OneDnn))
            AppendTile(page, $"{Format.Times(mean.Value)}x", $"as fast as {mean.Of}, geometric mean of {mean.Count} cases on float");
        foreach (Mean mean in summary.Limits.Where(mean => !mean.Of.StartsWith(SizeClass.Small.Text(), StringComparison.Ordinal)).Take(3))
            AppendTile(page, Format.Percent(mean.Value), $"of the limit's speed: {mean.Of}, {mean.Count} cases");
        AppendTile(page, $"{summary.Shortfalls.Count}", $"times below a bar; {summary.Judged} cases on float");
        page.Append("</div>\n");

        if (summary.Limits.Count > 0)
        {
            AppendTable(page, "Of the limit's speed|<geometric mean|<lowest|<cases", summary.Limits.Select(mean => new[]
            {
                mean.Of, Format.Percent(mean.Value), Format.Percent(mean.Lowest), $"{mean.Count}",
            }));
        }

        if (summary.Peers.Count > 0)
        {
            AppendTable(page, "Times as fast as|<geometric mean|<lowest|<cases", summary.Peers.Select(mean => new[]
            {
                mean.Of, Format.Times(mean.Value), Format.Times(mean.Lowest), $"{mean.Count}",
            }));
        }

        if (summary.Speedups.Count > 0)
        {
            page.Append($"<h3>16 bits against float, in the same rounds (bar in memory: {Format.Times(Bars.HalfOfFloat)})</h3>\n");
            AppendTable(page, "Case|Size|<times as fast|<10..90 %", summary.Speedups.Select(speedup => new[]
            {
                $"{speedup.Result.Case}", speedup.Result.Size.Text(), Format.Times(speedup.OverFloat), Format.Spread(speedup.OverFloat),
            }));
        }

        AppendShortfalls(page, summary.Shortfalls);
    }

    private static void AppendShortfalls(StringBuilder page, IReadOnlyList<Shortfall> shortfalls)
    {
        if (shortfalls.Count == 0)
        {
            page.Append("<h3>Nothing is below a bar</h3>\n");
            return;
        }

        // A long list would push the charts out of sight.
        const int Few = 12;
        page.Append($"<details{(shortfalls.Count <= Few ? " open" : "")}><summary>Below a bar: {shortfalls.Count}</summary>\n");
        AppendTable(page, "Case|Size|Measure|<is|<bar", shortfalls.Select(shortfall => new[]
        {
            $"{shortfall.Result.Case}", shortfall.Result.Size.Text(), shortfall.Measure, Format.Times(shortfall.Value),
            Format.Times(shortfall.Bar),
        }));
        page.Append("</details>\n");
    }

    private static void AppendFamilies(StringBuilder page, IReadOnlyList<CaseResult> results)
    {
        Charts charts = new(results);
        foreach (IGrouping<Family, CaseResult> family in results.Where(Charts.Has).GroupBy(result => result.Case.Family))
        {
            page.Append($"<h2 id=\"{family.Key}\">{family.Key.Text()}</h2>\n").Append(Legend);
            foreach (IGrouping<string, CaseResult> group in family.GroupBy(Group))
            {
                page.Append("<figure class=\"chart\"><figcaption>").Append(Encode(group.Key)).Append("</figcaption>\n");
                page.Append(charts.Draw(group.Key, [.. group])).Append("</figure>\n");
            }
        }
    }

    private static void AppendCases(StringBuilder page, IReadOnlyList<CaseResult> results)
    {
        page.Append("<h2 id=\"all\">All cases</h2>\n");
        page.Append("<p><input type=\"search\" id=\"filter\" placeholder=\"batchnorm backward 56,56 …\" aria-label=\"Filter\"> ");
        page.Append("Click on a heading to sort.</p>\n<div class=\"scroll\"><table id=\"cases\"><thead><tr>");
        const string Columns = "Layer|Shape|Layout|Pass|Type|Size|<MB|<µs|<libtorch|<oneDNN|<reference|<of limit|<faults";
        foreach (string column in Columns.Split('|'))
            page.Append($"<th class=\"sort{(column.StartsWith('<') ? " number" : "")}\">{column.TrimStart('<')}</th>");
        page.Append("</tr></thead><tbody>\n");
        foreach (CaseResult result in results)
        {
            Case entry = result.Case;
            page.Append("<tr>");
            string[] texts = [entry.Layer, $"{entry.Shape}", entry.Layout.Text(), entry.Pass.Text(), entry.DataType.Text()];
            foreach (string text in texts.Append(result.Size.Text()))
                page.Append("<td>").Append(Encode(text)).Append("</td>");
            AppendNumber(page, entry.Bytes, Format.Megabytes(entry.Bytes));
            AppendNumber(page, result.Own.Median, Format.Microseconds(result.Own.Median));
            foreach (string name in new[] { PeerSet.Torch, PeerSet.OneDnn, ManagedReference.Name })
            {
                Ratio? ratio = result.Against(name);
                bool judged = name != ManagedReference.Name && entry.DataType == DataType.Float;
                AppendNumber(page, ratio?.Times, Format.Times(ratio), judged && ratio?.Times < Bars.Peer);
            }

            double? fraction = result.FractionOfLimit;
            AppendNumber(page, fraction, Format.Percent(fraction), fraction < Bars.OfLimit(entry, result.Size));
            double faults = result.Measurements.Max(measurement => measurement.FaultsPerCall);
            AppendNumber(page, faults, Format.Number(faults, "0.##"));
            page.Append("</tr>\n");
        }

        page.Append("</tbody></table></div>\n");
    }

    private static void AppendNumber(StringBuilder page, double? value, string text, bool below = false)
    {
        // What is not there is sorted to one end.
        string key = Format.Number(value ?? -1, "R");
        page.Append($"<td class=\"number{(below ? " below" : "")}\" data-value=\"{key}\">").Append(text).Append("</td>");
    }

    private static void AppendTile(StringBuilder page, string figure, string text) =>
        page.Append("<div class=\"tile\"><b>").Append(figure).Append("</b><span>").Append(Encode(text)).Append("</span></div>\n");

    private static void AppendTable(StringBuilder page, string header, IEnumerable<string[]> rows)
    {
        string[] columns = header.Split('|');
        string Class(int column) => columns[column].StartsWith('<') ? " class=\"number\"" : "";
        page.Append("<div class=\"scroll\"><table><thead><tr>");
        for (int i = 0; i < columns.Length; i++)
            page.Append($"<th{Class(i)}>{Encode(columns[i].TrimStart('<'))}</th>");
        page.Append("</tr></thead><tbody>\n");
        foreach (string[] row in rows)
        {
            page.Append("<tr>");
            for (int i = 0; i < row.Length; i++)
                page.Append($"<td{Class(i)}>{Encode(row[i])}</td>");
            page.Append("</tr>\n");
        }

        page.Append("</tbody></table></div>\n");
    }

    /// <summary>What a chart has in common.</summary>
    private static string Group(CaseResult result)
    {
        Case entry = result.Case;
        string layout = entry.Family.IsRows() ? "" : $", {entry.Layout.Text()}";
        return $"{entry.Layer}, {entry.Pass.Text()}{layout}, {entry.DataType.Text()}";
    }

    // One mark of the legend; its text and the end of the element follow.
    private static string Key(string mark) => $"<span><svg viewBox=\"0 0 26 14\">{mark}</svg>";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Resource(string name)
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
