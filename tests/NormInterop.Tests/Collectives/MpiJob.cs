using System.ComponentModel;
using System.Diagnostics;
using NormInterop.Bindings;
using NormInterop.Tests.Runtime;

namespace NormInterop.Tests.Collectives;

/// <summary>This assembly as the program of an MPI job: a scenario of <see cref="RankScenarios"/> on every rank.</summary>
internal static class MpiJob
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    /// <summary>How a job ended: the exit code of mpirun, what all have written, and how long it took.</summary>
    internal sealed record Outcome(int ExitCode, string[] Lines, TimeSpan Duration)
    {
        internal string Text => string.Join(Environment.NewLine, Lines);

        /// <summary>What a rank wrote, without the words that say which rank it was.</summary>
        internal string[] Of(int rank) =>
            [.. Lines.Where(l => l.StartsWith($"rank {rank}: ", StringComparison.Ordinal)).Select(l => l[$"rank {rank}: ".Length..])];
    }

    /// <summary>Runs a scenario.</summary>
    /// <param name="ranks">Number of processes.</param>
    /// <param name="arguments">Name of the scenario, and what it takes.</param>
    internal static Outcome Run(int ranks, params string[] arguments) => Run(ranks, [], arguments);

    /// <summary>Runs a scenario with options of mpirun.</summary>
    internal static Outcome Run(int ranks, string[] options, string[] arguments)
    {
        Require();
        return Start("mpirun", [.. Options(ranks), .. options, .. Program(arguments)]);
    }

    /// <summary>Runs another program.</summary>
    internal static Outcome RunProgram(int ranks, string assembly, params string[] arguments)
    {
        Require();
        if (!File.Exists(assembly))
            Assert.Inconclusive($"{assembly} was not built.");
        return Start("mpirun", [.. Options(ranks), "dotnet", "exec", assembly, .. arguments]);
    }

    /// <summary>The command that runs a scenario in one process.</summary>
    internal static string[] Program(string[] arguments) =>
        ["dotnet", "exec", typeof(Child).Assembly.Location, Child.RankCommand, .. arguments];

    /// <summary>Skips the test where there is no MPI.</summary>
    internal static void Require()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Jobs of several processes are tried with Open MPI, on Linux.");
        try
        {
            NativeLibraryResolver.Mpi.Load();
        }
        catch (DllNotFoundException)
        {
            Assert.Inconclusive("The library for MPI was not built: openmpi-bin and libopenmpi-dev are not installed.");
        }

        try
        {
            if (Start("mpirun", ["--version"]).Text.Contains("Open MPI", StringComparison.Ordinal))
                return;
        }
        catch (Win32Exception)
        {
        }

        Assert.Inconclusive("mpirun of Open MPI is not installed (openmpi-bin).");
    }

    internal static Outcome Start(string file, string[] arguments)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // mpirun gives its ranks a terminal, and the console of .NET greets a terminal with a sequence of control characters.
        start.Environment["TERM"] = "dumb";
        Stopwatch watch = Stopwatch.StartNew();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The job did not end within {s_patience.TotalSeconds} s: {output.Result}{error.Result}");
        }

        string text = output.Result + Environment.NewLine + error.Result;
        return new Outcome(
            process.ExitCode,
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            watch.Elapsed);
    }

    private static IEnumerable<string> Options(int ranks)
    {
        yield return "-np";
        yield return $"{ranks}";
        yield return "--oversubscribe";
        if (Environment.IsPrivilegedProcess)
            yield return "--allow-run-as-root";
    }
}
