using System.CommandLine;
using System.Diagnostics;
using NormInterop.PeerBench.Commands;

namespace NormInterop.PeerBench.Experiments;

/// <summary>A program that keeps a processor busy: this one, started once more.</summary>
internal sealed class BusyNeighbor : IDisposable
{
    private const string Name = "spin";
    private const string Ready = "spinning";

    private readonly Process _process;

    /// <summary>Starts it, and waits until it is busy.</summary>
    /// <param name="seconds">How long it runs if nobody ends it.</param>
    public BusyNeighbor(int seconds)
    {
        // Where "dotnet" runs this program, it needs to be told which.
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("This program does not know its own path.");
        bool hosted = Path.GetFileNameWithoutExtension(program) == "dotnet";
        string[] arguments = [Name, "--seconds", $"{seconds}"];
        ProcessStartInfo start = new(program, hosted ? [Environment.GetCommandLineArgs()[0], .. arguments] : arguments)
        {
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        if (_process.StandardOutput.ReadLine() != Ready)
            throw new InvalidOperationException($"{program} {Name} did not become busy.");
    }

    /// <summary>Gives the program the command that a neighbor runs; users have no need of it.</summary>
    public static void AttachTo(Command parent)
    {
        Option<double> seconds = Arguments.Seconds("--seconds", "how long");
        Command command = new(Name, "keeps one processor busy") { Hidden = true };
        command.Options.Add(seconds);
        command.SetAction(arguments =>
        {
            Console.WriteLine(Ready);
            long start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < arguments.GetValue(seconds))
            {
                // Nothing but the clock.
            }
        });
        parent.Subcommands.Add(command);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
