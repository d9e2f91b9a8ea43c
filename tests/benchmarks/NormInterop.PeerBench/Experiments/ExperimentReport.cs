using System.Text;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Results;
using NormInterop.PeerBench.Timing;
using Spectre.Console;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What an experiment prints: tables, and in the end how its figures stand beside their bars.</summary>
internal sealed class ExperimentReport
{
    private const int RedirectedWidth = 200;

    private readonly IAnsiConsole _console;
    private readonly List<string> _verdicts = [];

    public ExperimentReport()
    {
        // A file or a pipe gets text alone, and is as wide as a table wants.
        bool redirected = Console.IsOutputRedirected;
        if (redirected)
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect });
        if (redirected)
            _console.Profile.Width = RedirectedWidth;
        Line($"{Machine.Processor()}, {NormRuntime.ThreadLimit} threads, {Machine.CacheBytes() >> 20} MiB of last-level cache");
        Line($"{NormRuntime.BuildInfo}; {NormRuntime.ActiveIsa} kernels");
    }

    /// <summary>A table whose first column holds words and the others figures.</summary>
    public static Table Table(params string[] columns)
    {
        Table table = new Table().Border(TableBorder.Simple);
        for (int i = 0; i < columns.Length; i++)
        {
            TableColumn column = new TableColumn(Markup.Escape(columns[i])).NoWrap();
            table.AddColumn(i == 0 ? column : column.RightAligned());
        }

        return table;
    }

    public void Line(string text) => _console.WriteLine(text);

    public void Write(Table table) => _console.Write(table);

    /// <summary>Holds a figure to a bar from above.</summary>
    /// <param name="what">The figure's name.</param>
    /// <param name="value">The figure.</param>
    /// <param name="bar">The most it may be.</param>
    /// <param name="unit">Of both.</param>
    /// <param name="remark">What a reader has to know when the bar is missed.</param>
    public void AtMost(string what, double value, double bar, string unit = "", string remark = "") =>
        Judge(what, value, value <= bar, $"at most {Number(bar)}{unit}", unit, remark);

    /// <summary>Holds a figure to a bar from below.</summary>
    /// <param name="what">The figure's name.</param>
    /// <param name="value">The figure.</param>
    /// <param name="bar">The least it may be.</param>
    /// <param name="unit">Of both.</param>
    /// <param name="remark">What a reader has to know when the bar is missed.</param>
    public void AtLeast(string what, double value, double bar, string unit = "", string remark = "") =>
        Judge(what, value, value >= bar, $"at least {Number(bar)}{unit}", unit, remark);

    /// <summary>Says what other programs took while some figures came about, if it was enough to spoil them.</summary>
    public void Doubt(OthersWork others)
    {
        if (others.Processors() is { } processors && processors > OthersWork.Busy)
            Line($"Other work took {Format.Number(processors, "0.0")} processors meanwhile: the figures need another run.");
    }

    public void Finish()
    {
        foreach (string verdict in _verdicts)
            Line(verdict);
    }

    private void Judge(string what, double value, bool met, string bar, string unit, string remark)
    {
        string text = $"{(met ? "met:   " : "missed:")} {what}: {Number(value)}{unit} ({bar})";
        _verdicts.Add(met || remark.Length == 0 ? text : $"{text}; {remark}");
    }

    // A ratio needs two digits after the point, and a large number none.
    private static string Number(double value) => Format.Number(value, Math.Abs(value) < 100 ? "0.##" : "0");
}
