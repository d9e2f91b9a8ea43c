using System.CommandLine;
using System.Globalization;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Results;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Commands;

/// <summary>The benchmark beside the peers, which the program runs when no other command is named.</summary>
internal sealed class MatrixCommand
{
    // What is promised are five minutes, with the start and the reports.
    private const double QuickSeconds = 275;

    private readonly MatrixOptions _options = new();
    private volatile bool _interrupted;

    /// <summary>Gives the command's options and action to another one.</summary>
    public void AttachTo(Command command)
    {
        foreach (Option option in _options.All)
            command.Options.Add(option);
        command.SetAction(Run);
    }

    private int Run(ParseResult arguments)
    {
        Screen screen = new();
        IReadOnlyList<Case> cases = _options.Cases(arguments);
        if (_options.IsList(arguments))
        {
            screen.Lines(cases.Select(entry => entry.ToString()));
            screen.Line($"{cases.Count} cases");
            return 0;
        }

        // Now rather than after half an hour.
        _options.Out(arguments).Create();

        // Before anything large is allocated, because it says how the heap works.
        PeerSet peers = PeerSet.Load(contestant => _options.TakesPart(arguments, contestant));
        BenchReport report = Time(arguments, cases, peers, screen);
        screen.Summarize(report);
        Save(report, _options.Out(arguments), screen);
        return report.Errors.Count > 0 || report.Results.Count == 0 ? 1 : 0;
    }

    private BenchReport Time(ParseResult arguments, IReadOnlyList<Case> cases, PeerSet peers, Screen screen)
    {
        List<CaseResult> results = [];
        List<string> errors = [];
        int threads = _options.Threads(arguments);
        using CaseRunner runner = new(
            cases,
            peers,
            threads,
            _options.TakesPart(arguments, ManagedReference.Name),
            _options.LargeReference(arguments));
        BenchSetup setup = new(
            DateTime.UtcNow,
            Machine.Processor(),
            threads,
            runner.CacheBytes,
            NormRuntime.BuildInfo,
            NormRuntime.ActiveIsa,
            [.. peers.Libraries.Where(library => library.Name is PeerSet.Torch or PeerSet.OneDnn).Select(library => library.Version)],
            peers.Missing,
            peers.HeapKept);
        screen.Lines(Texts.Setup(setup));
        CaseRunner.Settle(cases);
        double limit = _options.IsQuick(arguments) ? QuickSeconds : double.PositiveInfinity;
        Pace pace = new(_options.Budget(arguments), limit, cases.Count);
        Console.CancelKeyPress += Interrupt;
        screen.Follow(cases.Count, Results());
        Console.CancelKeyPress -= Interrupt;
        return new(setup, results, errors, cases.Count - results.Count);

        IEnumerable<CaseResult> Results()
        {
            foreach (Case entry in cases)
            {
                if (_interrupted || pace.IsOver)
                    yield break;
                if (TryRun(runner, entry, pace.Next(), errors) is not { } result)
                    continue;
                results.Add(result);
                yield return result;
            }
        }
    }

    // What goes wrong with one case must not cost the others.
    private static CaseResult? TryRun(CaseRunner runner, Case entry, Budget budget, List<string> errors)
    {
        try
        {
            return runner.Run(entry, budget, errors);
        }
        catch (Exception e) when (e is PeerException or NormInteropException or ArgumentException or InvalidOperationException)
        {
            errors.Add($"{entry}: {e.Message}");
            return null;
        }
    }

    // The case at hand is finished, and what has been timed is reported. A second time ends the program.
    private void Interrupt(object? sender, ConsoleCancelEventArgs e)
    {
        e.Cancel = !_interrupted;
        _interrupted = true;
    }

    private static void Save(BenchReport report, DirectoryInfo folder, Screen screen)
    {
        (string Name, string Content)[] files =
        [
            ("bench.md", MarkdownReport.Write(report)),
            ("bench.json", JsonReport.Write(report)),
            ("bench.html", HtmlReport.Write(report)),
        ];
        foreach ((string name, string content) in files)
        {
            string path = Path.Combine(folder.FullName, name);
            File.WriteAllText(path, content);
            screen.Line(string.Create(CultureInfo.InvariantCulture, $"Written: {path}"));
        }
    }
}
