namespace NormInterop.Tests.Collectives;

/// <summary>What one process of an MPI job does.</summary>
internal static class RankProgram
{
    internal const string FaultCommand = "fault";
    internal const string WithoutCatching = "throw";

    /// <summary>Runs a scenario and writes what it returns. An exception is a line, too, and another exit code.</summary>
    internal static int Run(string[] arguments)
    {
        if (arguments is [WithoutCatching, ..])
            return Unwatched();
        bool fails = arguments is [FaultCommand, ..];
        using MpiCollective world = MpiCollective.World(fails ? RankFaults.Limit : RankThreads.Ample);
        int rank = world.Rank;
        try
        {
            IEnumerable<string> lines = arguments switch
            {
                ["operations"] => RankScenarios.Operations(world),
                ["comparison"] => RankScenarios.Comparison(world),
                ["split"] => RankScenarios.Split(world),
                ["signals"] => RankScenarios.Signals(world),
                [FaultCommand, var fault, var place] => RankFaults.Run(world, fault, place),
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

    /// <summary>A rank that ends by an exception that nobody catches, while the others wait for it.</summary>
    private static int Unwatched()
    {
        MpiCollective world = MpiCollective.World(RankThreads.Ample);
        int rank = world.Rank;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine($"rank {rank}: exit");
        world.Barrier();
        if (rank == RankFaults.Culprit)
            throw new InvalidOperationException("thrown by the scenario");
        try
        {
            world.Barrier("end");
        }
        catch (CollectiveException e)
        {
            Console.WriteLine($"rank {rank}: {RankFaults.Describe(e)}");
        }

        return 0;
    }
}
