using System.CommandLine;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Reports;
using NormInterop.PeerBench.Timing;
using Spectre.Console;
using Layout = NormInterop.PeerBench.Model.Layout;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What a call costs apart from the computation: a BatchNorm on 16 numbers.</summary>
internal sealed class OverheadExperiment() : Experiment("overhead", "what a call costs by itself: BatchNorm1d on 2,8")
{
    private const double MostNanoseconds = 300;

    private static readonly Case Forward = new(Family.BatchNorm, new(2, 8), Layout.Contiguous, Pass.Forward, DataType.Float, Groups: 0);
    private static readonly Case Inference = Forward with { Pass = Pass.Inference };
    private static readonly Case Backward = Forward with { Pass = Pass.Backward };

    protected override void Run(ParseResult arguments, bool quick, ExperimentReport report)
    {
        using SharedBuffers buffers = new([Forward]);
        buffers.Fill(Forward);
        buffers.ResetResults(Forward);
        PeerLibrary? torch = Torch(report);
        Row[] rows =
        [
            new(ManagedApi.Create("training forward, spans and a context", Forward, buffers), Peer(torch, Forward, buffers), HasBar: true),
            new(ManagedApi.Create("evaluation forward, spans", Inference, buffers), Peer(torch, Inference, buffers), HasBar: true),
            new(ManagedApi.Create("training backward, spans", Backward, buffers), Peer(torch, Backward, buffers), HasBar: false),
            new(TensorForms.Create(Forward, buffers), null, HasBar: true),
            new(TensorForms.Create(Inference, buffers), null, HasBar: true),
            new(TensorForms.Create(Backward, buffers), null, HasBar: false),
        ];
        Contestant[] contestants = [.. rows.Select(row => row.Own), .. rows.Select(row => row.Peer).OfType<Contestant>()];
        Settle([.. rows.Select(row => row.Own)]);
        OthersWork others = new();
        Lane[] lanes = InTurns(contestants, quick ? 1 : 4);
        Table table = ExperimentReport.Table("BatchNorm1d<float> on 2,8", "ns", "10 %..90 %", "bytes allocated", "libtorch, ns");
        foreach (Row row in rows)
        {
            double[] seconds = [.. lanes.First(lane => lane.Contestant == row.Own).Seconds];
            double? peer = row.Peer is null ? null : Statistics.Median(lanes.First(lane => lane.Contestant == row.Peer).Seconds);
            double median = Statistics.Median(seconds);
            double low = Statistics.Percentile(seconds, 0.1), high = Statistics.Percentile(seconds, 0.9);
            string spread = $"{Nanoseconds(low)}..{Nanoseconds(high)}";
            table.AddRow(row.Own.Name, Nanoseconds(median), spread, Format.Number(AllocatedBytes(row.Own), "0.##"), Nanoseconds(peer));
            if (row.HasBar)
                report.AtMost(row.Own.Name, median * 1e9, MostNanoseconds, " ns");
        }

        report.Write(table);
        report.Line("libtorch allocates its outputs, like the forms with tensors. C++ calls it, on one thread and without autograd.");
        report.Doubt(others);
        foreach (Contestant contestant in contestants)
            contestant.Dispose();
    }

    private static PeerLibrary? Torch(ExperimentReport report)
    {
        try
        {
            PeerSet peers = PeerSet.Load(name => name == PeerSet.Torch);
            foreach (string missing in peers.Missing)
                report.Line("Left out: " + missing);
            return peers.Libraries.FirstOrDefault();
        }
        catch (DllNotFoundException e)
        {
            report.Line("Left out: " + e.Message);
            return null;
        }
    }

    // On one thread, which is what serves it best here.
    private static PeerContestant? Peer(PeerLibrary? library, Case entry, SharedBuffers buffers) =>
        library is null ? null : new(library, entry, buffers, threads: 1);

    // Of a call, outside the timing; the counter is exact to the byte.
    private static double AllocatedBytes(Contestant contestant)
    {
        const int Calls = 1000;
        contestant.Prepare(Calls);
        long before = GC.GetAllocatedBytesForCurrentThread();
        contestant.Run(Calls);
        return (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }

    private static string Nanoseconds(double? seconds) => seconds is { } value ? Format.Number(value * 1e9, "0") : "n/a";

    /// <summary>A line of the table.</summary>
    /// <param name="Own">Our call.</param>
    /// <param name="Peer">The same of libtorch, if it is there.</param>
    /// <param name="HasBar">Whether ours is held to the bar.</param>
    private sealed record Row(Contestant Own, Contestant? Peer, bool HasBar);
}
