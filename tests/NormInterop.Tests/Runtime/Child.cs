using System.Diagnostics;
using System.Numerics.Tensors;
using NormInterop.Tests.Bits;
using NormInterop.Tests.Collectives;
using NormInterop.Tests.Recycling;

namespace NormInterop.Tests.Runtime;

/// <summary>
/// This assembly as a program of its own: what the native library reads once, at its first use, can be tried only in a new process.
/// </summary>
internal static class Child
{
    internal const string DigestsCommand = "digests";
    internal const string RuntimeCommand = "runtime";
    internal const string TrainingCommand = "training";
    internal const string ScarcityCommand = "scarcity";
    internal const string RankCommand = "rank";

    /// <summary>The entry point. What the library throws becomes one line of output; anything else is a crash.</summary>
    public static int Main(string[] arguments)
    {
        if (arguments is [RankCommand, .. var scenario])
            return RankProgram.Run(scenario);
        try
        {
            IEnumerable<string> lines = arguments switch
            {
                [DigestsCommand] => Digests.Lines(),
                [RuntimeCommand] => Facts(),
                [TrainingCommand] => [RecyclingFacts.Training()],
                [ScarcityCommand] => [RecyclingFacts.Scarcity()],
                _ => Usage(),
            };
            foreach (string line in lines)
                Console.WriteLine(line);
        }
        catch (NormInteropException e)
        {
            Console.WriteLine($"{nameof(NormInteropException)} {e.Status}: {e.Message}");
        }

        return 0;
    }

    /// <summary>Runs this assembly with a command and variables (null: not set) and returns what it has written.</summary>
    internal static (int ExitCode, string[] Lines) Run(string command, params (string Name, string? Value)[] variables)
    {
        // The tests themselves run in a host that was started by the dotnet program; under another host, the one in the path will do.
        string? host = Environment.ProcessPath;
        if (Path.GetFileNameWithoutExtension(host) is not "dotnet")
            host = "dotnet";
        ProcessStartInfo start = new(host!, ["exec", typeof(Child).Assembly.Location, command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in variables)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    private static IEnumerable<string> Facts()
    {
        yield return $"limit {NormRuntime.ThreadLimit}";

        // A refused instruction set must not leave a module half changed, whichever call meets it first.
        BatchNorm1d<float> norm = new(1);
        Tensor<float> x = Tensor.Create<float>([1, 3], [2, 1]);
        string forward;
        try
        {
            forward = $"y {norm.Forward(x)[1, 0]:F3}";
        }
        catch (NormInteropException)
        {
            forward = "refused";
        }

        yield return $"forward {forward}, counter {norm.NumBatchesTracked}, running mean {norm.RunningMean![0]:F1}";
        yield return $"isa {NormRuntime.ActiveIsa}";
    }

    private static IEnumerable<string> Usage() => ["These are tests: run them with dotnet test."];
}
