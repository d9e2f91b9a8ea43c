namespace NormInterop.Tests.Collectives;

/// <summary>What one process of an MPI job does.</summary>
internal static class RankProgram
{
    private static readonly TimeSpan s_ample = TimeSpan.FromSeconds(60);

    /// <summary>Runs a scenario and writes what it returns. An exception is a line, too, and another exit code.</summary>
    internal static int Run(string[] arguments)
    {
        using MpiCollective world = MpiCollective.World(s_ample);
        int rank = world.Rank;
        try
        {
            IEnumerable<string> lines = arguments switch
            {
                ["operations"] => RankScenarios.Operations(world),
                ["comparison"] => RankScenarios.Comparison(world),
                _ => throw new ArgumentException($"There is no scenario '{string.Join(' ', arguments)}'."),
            };
            foreach (string line in lines)
                Console.WriteLine($"rank {rank}: {line}");
            return 0;
        }
        catch (Exception e) when (e is CollectiveException or AssertFailedException or ArgumentException)
        {
            Console.WriteLine($"rank {rank}: {e.GetType().Name}: {e.Message}");
            return 1;
        }
    }
}
