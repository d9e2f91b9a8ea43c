using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace NormInterop.Benchmarks;

/// <summary>
/// This row against the baseline of its shape and pass, by the medians: on a machine that does other work as well, a mean of ratios,
/// which is BenchmarkDotNet's own column, is that of the disturbances.
/// </summary>
internal sealed class MedianRatioColumn : IColumn
{
    /// <summary>The share of the baseline's time.</summary>
    public static readonly IColumn Ratio = new MedianRatioColumn(
        "Ratio", "Median of this row divided by the median of the baseline", (own, baseline) => own / baseline, "0.000");

    /// <summary>How many times as fast.</summary>
    public static readonly IColumn SpeedUp = new MedianRatioColumn(
        "Speed-up", "Median of the baseline divided by the median of this row", (own, baseline) => baseline / own, "0.0x");

    private readonly Func<double, double, double> _formula;
    private readonly string _format;

    private MedianRatioColumn(string name, string legend, Func<double, double, double> formula, string format) =>
        (ColumnName, Legend, _formula, _format) = (name, legend, formula, format);

    public string Id => $"{nameof(MedianRatioColumn)}.{ColumnName}";

    public string ColumnName { get; }

    public string Legend { get; }

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Baseline;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        string? group = summary.GetLogicalGroupKey(benchmarkCase);
        BenchmarkCase? baseline = summary.BenchmarksCases.FirstOrDefault(
            other => summary.IsBaseline(other) && summary.GetLogicalGroupKey(other) == group);
        return Median(summary, benchmarkCase) is double own && Median(summary, baseline) is double reference
            ? _formula(own, reference).ToString(_format, CultureInfo.InvariantCulture)
            : "?";
    }

    public override string ToString() => ColumnName;

    private static double? Median(Summary summary, BenchmarkCase? benchmarkCase) =>
        benchmarkCase is null ? null : summary[benchmarkCase]?.ResultStatistics?.Median;
}
