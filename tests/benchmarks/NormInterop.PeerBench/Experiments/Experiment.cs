using System.CommandLine;
using System.Diagnostics;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Experiments;

/// <summary>A command beside the matrix that answers one question: with tables, and a line for each bar.</summary>
/// <param name="name">Of the command.</param>
/// <param name="description">What <c>--help</c> says of it.</param>
internal abstract class Experiment(string name, string description)
{
    private readonly Option<bool> _quick = new("--quick") { Description = "less time for each figure" };

    protected virtual IEnumerable<Option> Options => [];

    /// <summary>Makes the command one of another one's.</summary>
    public void AttachTo(Command parent)
    {
        Command command = new(name, description);
        foreach (Option option in Options)
            command.Options.Add(option);
        command.Options.Add(_quick);
        command.SetAction(arguments =>
        {
            ExperimentReport report = new();
            Run(arguments, arguments.GetValue(_quick), report);
            report.Finish();
        });
        parent.Subcommands.Add(command);
    }

    protected abstract void Run(ParseResult arguments, bool quick, ExperimentReport report);

    /// <summary>Has the managed code of some contestants compiled in its final form.</summary>
    /// <remarks>
    /// The compiler replaces a method that was called often, in the background and more than once, when for 100 ms no new one has come up.
    /// Nothing says when it is done, except that calls do not become faster any more.
    /// </remarks>
    protected static void Settle(IReadOnlyCollection<Contestant> contestants)
    {
        const int FewestRounds = 8;
        const int MostRounds = 40;
        const int RoundsWithoutGain = 5;
        const int Calls = 60;
        const double Gain = 0.97;
        double fastest = double.PositiveInfinity;
        for (int round = 0, gained = 0; round < FewestRounds || (round < MostRounds && round - gained < RoundsWithoutGain); round++)
        {
            double seconds = contestants.Sum(contestant => Fastest(contestant, Calls));
            if (seconds < Gain * fastest)
                (fastest, gained) = (seconds, round);
            Thread.Sleep(150);
        }
    }

    /// <summary>Times contestants in turns.</summary>
    protected static Lane[] InTurns(IEnumerable<Contestant> contestants, double seconds)
    {
        Lane[] lanes = [.. contestants.Select(contestant => new Lane(contestant, int.MaxValue))];
        RoundRobin.Run(lanes, new Budget(seconds, Rounds: 0), () => 0);
        return lanes;
    }

    private static double Fastest(Contestant contestant, int calls)
    {
        double fastest = double.PositiveInfinity;
        contestant.Prepare(calls);
        for (int i = 0; i < calls; i++)
        {
            long start = Stopwatch.GetTimestamp();
            contestant.Run(1);
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return fastest;
    }
}
