using System.CommandLine;
using System.Diagnostics;
using NormInterop.PeerBench.Commands;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Timing;
using Spectre.Console;
using Layout = NormInterop.PeerBench.Model.Layout;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What it costs that some forms return new tensors: a training loop in them against one in the forms with spans.</summary>
internal sealed class TrainingExperiment() : Experiment("training", "a training loop with new tensors against one without")
{
    private const double MostRatio = 1.15;
    private const int FewestRounds = 5;
    private const double TurnSeconds = 20e-3;
    private const int FewestIterations = 5;
    private const int MostIterations = 10_000;

    private readonly Option<Shape[]> _shapes = Arguments.Shapes("--shape", "lengths such as 16,96,40,40 (32,256,56,56)");
    private readonly Option<int> _kept = Arguments.Number("--keep", "iterations whose results are kept", _ => 3, 1000);

    private readonly Option<double> _seconds = Arguments.Seconds("--seconds", "time for each pair of loops (10; quick: 4)");

    protected override IEnumerable<Option> Options => [_shapes, _kept, _seconds];

    protected override void Run(ParseResult arguments, bool quick, ExperimentReport report)
    {
        Shape[] shapes = arguments.GetValue(_shapes) is { Length: > 0 } chosen ? chosen : [new(32, 256, 56, 56)];
        double seconds = arguments.GetValue(_seconds) is > 0 and var time ? time : quick ? 4 : 10;
        int kept = arguments.GetValue(_kept);
        foreach (Shape shape in shapes)
        {
            Case entry = new(Family.BatchNorm, shape, Layout.Contiguous, Pass.Forward, DataType.Float, Groups: 0);
            if (entry.Refusal() is { } refusal)
                throw new ArgumentException($"Nothing to time: {entry}: {refusal}.");
            Compare(entry, kept, seconds, report);
        }
    }

    private static void Compare(Case entry, int kept, double seconds, ExperimentReport report)
    {
        Table table = ExperimentReport.Table(
            $"{entry.Layer} {entry.Shape}, y = forward, dx = backward",
            "ms",
            "ratio",
            "mean ratio",
            "page faults",
            "collections",
            "of gen 2",
            "MB");
        TrainingMemory memory = new(entry);
        OthersWork others = new();
        double ratio = Pair("tensors", kept: 0);
        double keptRatio = Pair($"tensors, those of the last {kept} kept", kept);
        long limit = NormRuntime.RecyclingLimit;
        NormRuntime.RecyclingLimit = 0;
        Pair("tensors, recycling off", kept: 0);
        NormRuntime.RecyclingLimit = limit;
        report.Write(table);
        report.Line("Per iteration; each loop in turns with that on spans above it. Ratio: of medians; mean ratio: of all time together.");
        report.Doubt(others);
        report.AtMost($"tensors against spans, {entry.Shape}", ratio, MostRatio);
        report.AtMost($"the same, the last {kept} kept, {entry.Shape}", keptRatio, MostRatio);

        double Pair(string name, int kept)
        {
            TrainingLane spans = new("spans", new SpanTraining(entry, memory));
            TrainingLane tensors = new(name, new TensorTraining(entry, memory, kept));
            Alternate(spans, tensors, seconds);
            spans.AddTo(table, spans);
            tensors.AddTo(table, spans);
            NormRuntime.ReleaseRecycled();
            return tensors.Median / spans.Median;
        }
    }

    private static void Alternate(TrainingLane first, TrainingLane second, double seconds)
    {
        first.WarmUp();
        second.WarmUp();
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < FewestRounds || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; round++)
        {
            (TrainingLane earlier, TrainingLane later) = round % 2 == 0 ? (first, second) : (second, first);
            earlier.TakeTurn();
            later.TakeTurn();
        }
    }

    /// <summary>A loop, its turns and what they took.</summary>
    private sealed class TrainingLane(string name, TrainingLoop loop)
    {
        private readonly List<double> _seconds = [];
        private int _iterations = FewestIterations;
        private double _faults;
        private int _collections;
        private int _fullCollections;
        private double _megabytes;

        public double Median => Statistics.Median(_seconds);

        // The compiler replaces methods that were called often in the background; recycling finds its rhythm.
        public void WarmUp()
        {
            const int Rounds = 8;
            for (int round = 0; round < Rounds; round++)
            {
                long start = Stopwatch.GetTimestamp();
                loop.Run(_iterations);
                double one = Stopwatch.GetElapsedTime(start).TotalSeconds / _iterations;
                _iterations = Math.Clamp((int)(TurnSeconds / one), FewestIterations, MostIterations);
                Thread.Sleep(150);
            }
        }

        public void TakeTurn()
        {
            loop.Run(1);
            double faults = ProcessFacts.PageFaults();
            (int collections, int full) = (GC.CollectionCount(0), GC.CollectionCount(2));
            long start = Stopwatch.GetTimestamp();
            loop.Run(_iterations);
            _seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / _iterations);
            _collections += GC.CollectionCount(0) - collections;
            _fullCollections += GC.CollectionCount(2) - full;
            _faults += ProcessFacts.PageFaults() - faults;
            _megabytes = ProcessFacts.Now().ResidentMegabytes;
        }

        public void AddTo(Table table, TrainingLane spans)
        {
            double iterations = (double)_seconds.Count * _iterations;
            bool isSpans = spans == this;
            table.AddRow(
                name,
                Format.Number(Median * 1e3, "0.000"),
                isSpans ? "" : Format.Times(Median / spans.Median),
                isSpans ? "" : Format.Times(_seconds.Average() / spans._seconds.Average()),
                Format.Number(_faults / iterations, "0.#"),
                Format.Number(_collections / iterations, "0.###"),
                Format.Number(_fullCollections / iterations, "0.###"),
                Format.Number(_megabytes, "0"));
        }
    }
}
