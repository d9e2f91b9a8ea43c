using System.Diagnostics;
using System.Text;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Results;
using Spectre.Console;

namespace NormInterop.PeerBench.Commands;

/// <summary>What the user sees: a table that grows on a terminal, a line for each case in a file, and the summary.</summary>
internal sealed class Screen
{
    private const int RedirectedWidth = 160;
    private const int LiveRows = 16;

    private readonly IAnsiConsole _console;

    public Screen()
    {
        try
        {
            // For the micro sign; Windows consoles start in a code page that may lack it.
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        }
        catch (IOException)
        {
            // A console that keeps its encoding gets what it has.
        }

        // A file or a pipe gets text alone. Spectre.Console judges by the terminal's name, which a pipe inherits.
        bool redirected = Console.IsOutputRedirected;
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect });
        if (redirected)
            _console.Profile.Width = RedirectedWidth;
    }

    public void Line(string text) => _console.WriteLine(text);

    public void Lines(IEnumerable<string> lines)
    {
        foreach (string line in lines)
            _console.WriteLine(line);
    }

    /// <summary>Runs the cases and shows each as soon as it is known.</summary>
    /// <param name="count">How many there will be.</param>
    /// <param name="results">They, one by one.</param>
    public void Follow(int count, IEnumerable<CaseResult> results)
    {
        if (_console.Profile.Out.IsTerminal)
        {
            Live(count, results);
            return;
        }

        Line(Row("Case", "µs", "libtorch", "oneDNN", "reference", "of limit"));
        foreach (CaseResult result in results)
            Line(Row($"{result.Case}", Figures(result)));
    }

    public void Summarize(BenchReport report)
    {
        Summary summary = report.Summary;
        Table table = new Table().Border(TableBorder.Simple).AddColumns("Float", "geometric mean", "lowest", "cases");
        foreach (Mean mean in summary.Peers)
            table.AddRow($"times as fast as {mean.Of}", Format.Times(mean.Value), Format.Times(mean.Lowest), $"{mean.Count}");
        foreach (Mean mean in summary.Limits)
            table.AddRow($"of the limit: {mean.Of}", Format.Percent(mean.Value), Format.Percent(mean.Lowest), $"{mean.Count}");
        _console.Write(table);
        if (summary.Speedups.Count > 0)
        {
            Line("16 bits against float (same round):");
            foreach (Speedup speedup in summary.Speedups)
                Line($"  {speedup.Result.Case}: {Format.Times(speedup.OverFloat)} ({Format.Spread(speedup.OverFloat)})");
        }

        Line(summary.Shortfalls.Count == 0 ? "No case is below a bar." : $"Below a bar: {summary.Shortfalls.Count}");
        foreach (Shortfall shortfall in summary.Shortfalls)
            Line($"  {shortfall.Result.Case}: {Format.Times(shortfall.Value)} {shortfall.Measure}, bar {Format.Times(shortfall.Bar)}");
        Lines(Texts.Doubts(report));
    }

    private void Live(int count, IEnumerable<CaseResult> results)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("Case");
        foreach (string column in new[] { "µs", "libtorch", "oneDNN", "reference", "of limit" })
            table.AddColumn(new TableColumn(column).RightAligned());
        long start = Stopwatch.GetTimestamp();
        int done = 0;
        _console.Live(table).Start(context =>
        {
            foreach (CaseResult result in results)
            {
                if (table.Rows.Count >= LiveRows)
                    table.RemoveRow(0);
                table.AddRow([Markup.Escape($"{result.Case}"), .. Figures(result).Select(Markup.Escape)]);
                TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
                TimeSpan left = elapsed / ++done * (count - done);
                table.Caption($@"{done} of {count}, {left:m\:ss} left");
                context.Refresh();
            }
        });
    }

    private static string[] Figures(CaseResult result) =>
    [
        Format.Microseconds(result.Own.Median), Format.Times(result.Against(PeerSet.Torch)), Format.Times(result.Against(PeerSet.OneDnn)),
        Format.Times(result.Against(ManagedReference.Name)), Format.Percent(result.FractionOfLimit),
    ];

    private static string Row(string label, params string[] figures)
    {
        const int LabelWidth = 70;
        const int FigureWidth = 10;
        return label.PadRight(LabelWidth) + string.Concat(figures.Select(figure => figure.PadLeft(FigureWidth)));
    }
}
