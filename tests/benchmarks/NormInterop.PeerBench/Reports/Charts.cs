using System.Globalization;
using System.Net;
using System.Text;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Results;

namespace NormInterop.PeerBench.Reports;

/// <summary>
/// Charts as SVG: a row for each case, on the left how many times as fast as the peers we are, on the right which part of the limit's speed
/// we reach.
/// </summary>
internal sealed class Charts
{
    private const int Width = 1120;
    private const int LabelEnd = 190;
    private const int TimesStart = 205;
    private const int TimesEnd = 690;
    private const int LimitStart = 740;
    private const int LimitEnd = 1070;
    private const int RowHeight = 22;
    private const int Header = 26;
    private const double MostOfLimit = 1.5;

    private readonly int _lowestPower;
    private readonly int _highestPower;

    /// <summary>One scale for all charts of a page.</summary>
    public Charts(IEnumerable<CaseResult> results)
    {
        // What is further out is drawn at the edge, and says its value when pointed at.
        const double Lowest = 1.0 / 8;
        const double Highest = 64;
        double[] times = [.. results.SelectMany(Ratios).SelectMany(entry => new[] { entry.Ratio.Low, entry.Ratio.High })];
        _lowestPower = (int)Math.Floor(Math.Log2(Math.Max(times.Append(0.5).Min(), Lowest)));
        _highestPower = (int)Math.Ceiling(Math.Log2(Math.Min(times.Append(4).Max(), Highest)));
    }

    /// <summary>Whether there is anything to draw of a case.</summary>
    public static bool Has(CaseResult result) => Ratios(result).Any() || result.FractionOfLimit is not null;

    /// <summary>Draws some cases that differ in their shape alone.</summary>
    public string Draw(string title, IReadOnlyList<CaseResult> results)
    {
        int height = Header + (results.Count * RowHeight) + 4;
        StringBuilder svg = new();
        svg.Append(Invariant($"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">"));
        for (int i = 0; i < results.Count; i += 2)
            AppendBackground(svg, "stripe", Top(i));
        AppendAxes(svg, height);
        for (int i = 0; i < results.Count; i++)
            AppendRow(svg, results[i], Top(i));
        return svg.Append("</svg>").ToString();
    }

    private static IEnumerable<(string Peer, Ratio Ratio)> Ratios(CaseResult result)
    {
        foreach (string peer in new[] { PeerSet.Torch, PeerSet.OneDnn })
        {
            if (result.Against(peer) is { } ratio)
                yield return (peer, ratio);
        }
    }

    private void AppendAxes(StringBuilder svg, int height)
    {
        for (int power = _lowestPower; power <= _highestPower; power++)
        {
            string label = power < 0 ? $"1/{1 << -power}" : $"{1 << power}";
            AppendGridLine(svg, TimesX(Math.Pow(2, power)), height, label, power == 0 ? "one" : "grid");
        }

        for (int percent = 0; percent <= MostOfLimit * 100; percent += 25)
            AppendGridLine(svg, LimitX(percent / 100.0), height, $"{percent} %", percent == 100 ? "one" : "grid");
    }

    private static void AppendGridLine(StringBuilder svg, double x, int height, string label, string style)
    {
        svg.Append(Invariant($"<line class=\"{style}\" x1=\"{x:0.#}\" x2=\"{x:0.#}\" y1=\"{Header - 6}\" y2=\"{height}\"/>"));
        svg.Append(Invariant($"<text class=\"soft\" x=\"{x:0.#}\" y=\"{Header - 11}\" text-anchor=\"middle\">{label}</text>"));
    }

    private static int Top(int row) => Header + (row * RowHeight);

    private static void AppendBackground(StringBuilder svg, string style, int top) =>
        svg.Append(Invariant($"<rect class=\"{style}\" x=\"0\" y=\"{top}\" width=\"{Width}\" height=\"{RowHeight}\"/>"));

    private void AppendRow(StringBuilder svg, CaseResult result, int top)
    {
        int middle = top + (RowHeight / 2);
        svg.Append("<g class=\"row\"><title>").Append(WebUtility.HtmlEncode(Describe(result))).Append("</title>");
        AppendBackground(svg, "pointer", top);
        svg.Append(Invariant($"<text x=\"{LabelEnd - 62}\" y=\"{middle + 4}\" text-anchor=\"end\">{result.Case.Shape}</text>"));
        svg.Append(Invariant($"<text class=\"soft\" x=\"{LabelEnd - 54}\" y=\"{middle + 4}\">{result.Size.Text()}</text>"));
        foreach ((string peer, Ratio ratio) in Ratios(result))
            AppendRatio(svg, peer == PeerSet.Torch, ratio, middle);
        if (result.FractionOfLimit is { } fraction)
            AppendFraction(svg, result, fraction, middle);
        svg.Append("</g>");
    }

    private void AppendRatio(StringBuilder svg, bool torch, Ratio ratio, int middle)
    {
        string style = torch ? "torch" : "onednn";
        int y = torch ? middle - 4 : middle + 4;
        double x = TimesX(ratio.Times);
        svg.Append(Invariant(
            $"<line class=\"{style} spread\" x1=\"{TimesX(ratio.Low):0.#}\" x2=\"{TimesX(ratio.High):0.#}\" y1=\"{y}\" y2=\"{y}\"/>"));
        svg.Append(torch
            ? Invariant($"<circle class=\"{style}\" cx=\"{x:0.#}\" cy=\"{y}\" r=\"4\"/>")
            : Invariant($"<path class=\"{style}\" d=\"M{x:0.#} {y - 5}l5 5l-5 5l-5 -5z\"/>"));
    }

    private static void AppendFraction(StringBuilder svg, CaseResult result, double fraction, int middle)
    {
        double? bar = Bars.OfLimit(result.Case, result.Size);
        string style = fraction < bar ? "below" : "limit";
        double end = LimitX(fraction);
        svg.Append(Invariant(
            $"<rect class=\"{style}\" x=\"{LimitStart}\" y=\"{middle - 6}\" width=\"{end - LimitStart:0.#}\" height=\"12\" rx=\"2\"/>"));
        svg.Append(Invariant($"<text x=\"{Width - 4}\" y=\"{middle + 4}\" text-anchor=\"end\">{Format.Percent(fraction)}</text>"));
        if (bar is { } value)
        {
            double x = LimitX(value);
            svg.Append(Invariant($"<line class=\"bar\" x1=\"{x:0.#}\" x2=\"{x:0.#}\" y1=\"{middle - 9}\" y2=\"{middle + 9}\"/>"));
        }
    }

    private static string Describe(CaseResult result)
    {
        StringBuilder text = new();
        text.Append(result.Case).Append('\n').Append($"NormInterop: {Format.Microseconds(result.Own.Median)} µs");
        foreach (Measurement other in result.Measurements.Skip(1))
        {
            Ratio ratio = result.Against(other);
            text.Append('\n').Append($"{other.Name}: {Format.Microseconds(other.Median)} µs, ");
            text.Append($"{Format.Times(ratio)} ({Format.Spread(ratio)}) times ours");
        }

        return text.ToString();
    }

    private double TimesX(double value)
    {
        double position = (Math.Log2(value) - _lowestPower) / (_highestPower - _lowestPower);
        return TimesStart + (Math.Clamp(position, 0, 1) * (TimesEnd - TimesStart));
    }

    private static double LimitX(double fraction) =>
        LimitStart + (Math.Clamp(fraction / MostOfLimit, 0, 1) * (LimitEnd - LimitStart));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
