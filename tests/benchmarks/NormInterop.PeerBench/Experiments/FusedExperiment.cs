using System.CommandLine;
using NormInterop.PeerBench.Commands;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Timing;
using Spectre.Console;
using Layout = NormInterop.PeerBench.Model.Layout;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What it saves to have ReLU in the pass of the normalization: the layer's option against the layer, then ReLU.</summary>
internal sealed class FusedExperiment() : Experiment("fused", "BatchNorm with ReLU in its pass against BatchNorm, then ReLU")
{
    private const double LeastGain = 1.3;
    private static readonly Shape[] Shapes = [new(32, 256, 56, 56), new(32, 64, 112, 112), new(32, 2048, 7, 7)];

    private readonly Option<Shape[]> _shapes = Arguments.Shapes("--shape", "lengths such as 16,96,40,40 (three of ResNet-50)");
    private readonly Option<double> _seconds = Arguments.Seconds("--seconds", "time for each row (2; quick: 0.7)");

    protected override IEnumerable<Option> Options => [_shapes, _seconds];

    protected override void Run(ParseResult arguments, bool quick, ExperimentReport report)
    {
        Shape[] shapes = arguments.GetValue(_shapes) is { Length: > 0 } chosen ? chosen : Shapes;
        double seconds = arguments.GetValue(_seconds) is > 0 and var time ? time : quick ? 0.7 : 2;
        Case[] cases =
        [
            .. from shape in shapes
               from layout in new[] { Layout.Contiguous, Layout.ChannelsLast }
               from pass in new[] { Pass.Forward, Pass.Backward, Pass.Inference }
               select new Case(Family.BatchNorm, shape, layout, pass, DataType.Float, Groups: 0),
        ];
        if (cases.FirstOrDefault(entry => entry.Refusal() is not null) is { } refused)
            throw new ArgumentException($"Nothing to time: {refused}: {refused.Refusal()}.");
        OthersWork others = new();
        using SharedBuffers buffers = new(cases);
        foreach (bool hasResidual in new[] { false, true })
            Compare(hasResidual, cases, buffers, seconds, report);
        report.Doubt(others);
    }

    private static void Compare(bool hasResidual, Case[] cases, SharedBuffers buffers, double seconds, ExperimentReport report)
    {
        Settle(hasResidual);
        string what = hasResidual ? "relu(norm(x) + residual)" : "relu(norm(x))";
        Table table = ExperimentReport.Table($"float, {what}", "separate, µs", "fused, µs", "ratio", "10 %..90 %");
        List<(Case Entry, double Ratio)> large = [];
        long cache = Results.Machine.CacheBytes();
        foreach (Case entry in cases)
        {
            buffers.Fill(entry);
            buffers.ResetResults(entry);
            using ActivatedNorm separate = new("separate", entry, buffers, hasResidual, isFused: false);
            using ActivatedNorm fused = new("fused", entry, buffers, hasResidual, isFused: true);
            Lane[] lanes = InTurns([separate, fused], seconds);
            double[] ratios = [.. lanes[0].Seconds.Zip(lanes[1].Seconds, (one, other) => one / other)];
            double slow = Statistics.Median(lanes[0].Seconds), fast = Statistics.Median(lanes[1].Seconds);
            table.AddRow(
                $"{entry.Shape} {entry.Layout.Text()} {entry.Pass.Text()}",
                Format.Microseconds(slow),
                Format.Microseconds(fast),
                Format.Times(slow / fast),
                $"{Format.Times(Statistics.Percentile(ratios, 0.1))}..{Format.Times(Statistics.Percentile(ratios, 0.9))}");
            if (entry.SizeClass(cache) == SizeClass.Beyond && entry.Shape.Product(2, entry.Shape.Rank) > 49)
                large.Add((entry, slow / fast));
        }

        report.Write(table);

        // With a residual, both ways read and write as many tensors in the backward: its gradient is that of the sum.
        if (hasResidual || large.Count == 0)
            return;
        (Case lowest, double ratio) = large.MinBy(figure => figure.Ratio);
        report.AtLeast($"{what}, {large.Count} large cases; the lowest, {lowest}", ratio, LeastGain);
    }

    // The loops of the separate steps are managed code, which the compiler replaces when it was called often.
    private static void Settle(bool hasResidual)
    {
        Case[] small = [.. new[] { Pass.Forward, Pass.Backward }.Select(pass =>
            new Case(Family.BatchNorm, new(2, 64, 32, 32), Layout.Contiguous, pass, DataType.Float, Groups: 0))];
        using SharedBuffers buffers = new(small);
        foreach (Case entry in small)
        {
            buffers.Fill(entry);
            buffers.ResetResults(entry);
            using ActivatedNorm separate = new("separate", entry, buffers, hasResidual, isFused: false);
            Settle([separate]);
        }
    }
}
