using System.Diagnostics;
using System.Globalization;

namespace NormInterop.Tests.Collectives;

/// <summary>What one process of an MPI job does.</summary>
internal static class RankProgram
{
    internal const string FaultCommand = "fault";
    internal const string WithoutCatching = "throw";
    internal const string Depart = "depart";
    internal const string Late = "late";
    internal const string LateToMpi = "to MPI";
    internal const string LateToTheGroup = "to the group";

    /// <summary>Runs a scenario and writes what it returns. An exception is a line, too, and another exit code.</summary>
    internal static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case [WithoutCatching]:
                return Unwatched();
            case [Depart]:
                return Departure();
            case [Late, var start]:
                return OpenLate(start == LateToTheGroup);
            case ["join", var how]:
                foreach (string line in how switch
                {
                    "any" => HostMpi.Join(),
                    "one" => HostMpi.JoinOnOneThread(),
                    _ => HostMpi.TooLate(),
                })
                    Console.WriteLine(line);
                return 0;
        }

        if (arguments is [FaultCommand, ..])
        {
            using MpiCollective start = MpiCollective.World(RankThreads.Ample);
            RankFaults.WarmUp(start);
        }

        using MpiCollective world = MpiCollective.World(arguments is [FaultCommand, ..] ? RankFaults.Limit : RankThreads.Ample);
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

    /// <summary>A rank that does not come to the making of the group, and then finds that the others have given up.</summary>
    private static int OpenLate(bool started)
    {
        if (started)
            HostMpi.Initialize();
        int rank = int.Parse(Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK")!, CultureInfo.InvariantCulture);
        if (rank == RankFaults.Culprit)
            Thread.Sleep(2 * RankFaults.Limit);
        Stopwatch watch = Stopwatch.StartNew();
        try
        {
            MpiCollective.World(RankFaults.Limit).Dispose();
            Console.WriteLine($"rank {rank}: opened");
        }
        catch (CollectiveException e)
        {
            Console.WriteLine($"rank {rank}: {e.Failure} {(watch.Elapsed < 3 * RankFaults.Limit ? "in time" : $"after {watch.Elapsed}")}");
        }

        return 0;
    }

    private static int Departure()
    {
        MpiCollective world = MpiCollective.World(RankThreads.Ample / 6);
        int rank = world.Rank;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine($"rank {rank}: exit");
        world.Barrier();
        if (rank == RankFaults.Culprit)
        {
            using Process self = Process.GetCurrentProcess();
            self.Kill();
        }

        Console.WriteLine($"rank {rank}: done");
        return 0;
    }
}
