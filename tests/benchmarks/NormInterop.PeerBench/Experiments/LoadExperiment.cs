using System.CommandLine;
using NormInterop.PeerBench.Commands;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Experiments;

/// <summary>The library where it is not alone: many callers, a busy neighbor, and a long time.</summary>
internal sealed class LoadExperiment() : Experiment("load", "many callers at once, a busy neighbor, a million calls")
{
    private const int SettlingRounds = 8;

    private static readonly Case Rows = new(Family.LayerNorm, new(128, 768), Layout.Contiguous, Pass.Forward, DataType.Float, Groups: 0);
    private static readonly Case Images = Rows with { Family = Family.BatchNorm, Shape = new(8, 16, 32, 32) };
    private static readonly Case Tiny = Rows with { Family = Family.BatchNorm, Shape = new(2, 8) };

    private readonly Option<Part[]> _parts = Arguments.Several<Part>("--part", "parts", part => part.ToString().ToLowerInvariant());

    private readonly Option<int> _calls = Arguments.Number(
        "--calls", "calls on 2,8; a tenth on 128,768 (1000000; quick: 100000)", null, int.MaxValue);

    private enum Part
    {
        Crowd,
        Neighbor,
        Endurance,
    }

    protected override IEnumerable<Option> Options => [_parts, _calls];

    protected override void Run(ParseResult arguments, bool quick, ExperimentReport report)
    {
        Part[] parts = arguments.GetValue(_parts) is { Length: > 0 } chosen ? chosen : Enum.GetValues<Part>();
        int calls = arguments.GetValue(_calls) is > 0 and var number ? number : quick ? 100_000 : 1_000_000;
        Settle();
        OthersWork others = new();
        if (parts.Contains(Part.Crowd))
        {
            Crowd.Run(Rows, quick, report);
            Crowd.Run(Images, quick, report);
            report.Doubt(others);
        }

        if (parts.Contains(Part.Neighbor))
        {
            Neighborhood.Run(Rows, quick, report);
            Neighborhood.Run(Images, quick, report);
        }

        if (parts.Contains(Part.Endurance))
        {
            Endurance.Run(Tiny, calls, report);
            Endurance.Run(Rows, Math.Max(1, calls / 10), report);
        }
    }

    // Has everything compiled in its final form before something is measured (see Experiment.Settle).
    private static void Settle()
    {
        using CallWork rows = new(Rows), images = new(Images), tiny = new(Tiny);
        for (int round = 0; round < SettlingRounds; round++)
        {
            Callers.Run([rows, images, tiny], 0.1, samples: 10);
            Thread.Sleep(150);
        }
    }
}
