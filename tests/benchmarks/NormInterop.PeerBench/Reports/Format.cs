using System.Globalization;
using NormInterop.PeerBench.Results;

namespace NormInterop.PeerBench.Reports;

/// <summary>Numbers as all reports show them.</summary>
internal static class Format
{
    /// <summary>What stands where there is nothing.</summary>
    public const string None = "-";

    public static string Microseconds(double seconds)
    {
        double value = seconds * 1e6;
        return Number(value, value < 10 ? "0.000" : value < 100 ? "0.00" : value < 1000 ? "0.0" : "0");
    }

    public static string Times(double? value) => value is { } number && double.IsFinite(number) ? Number(number, "0.00") : None;

    public static string Times(Ratio? ratio) => Times(ratio?.Times);

    public static string Spread(Ratio? ratio) => ratio is { } spread ? $"{Times(spread.Low)}..{Times(spread.High)}" : None;

    public static string Percent(double? value) => value is { } number && double.IsFinite(number) ? Number(number * 100, "0") + " %" : None;

    public static string Megabytes(long bytes) => Number(bytes / 1e6, bytes < 10_000_000 ? "0.00" : "0");

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
