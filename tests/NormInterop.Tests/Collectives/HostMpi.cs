using System.Runtime.InteropServices;
using NormInterop.Bindings;

namespace NormInterop.Tests.Collectives;

/// <summary>A program that has its own use of MPI, before and after that of this library.</summary>
internal static unsafe class HostMpi
{
    private const int Funneled = 1;
    private const int Serialized = 2;

    /// <summary>Joins an MPI that the program has initialized, and leaves its end to the program.</summary>
    internal static IEnumerable<string> Join()
    {
        nint mpi = Initialize(Serialized);
        int finalized;
        using (MpiCollective world = MpiCollective.World(RankThreads.Ample))
            Console.WriteLine($"rank {world.Rank}: {Sum(world)}");
        var isFinalized = (delegate* unmanaged[Cdecl]<int*, int>)NativeLibrary.GetExport(mpi, "MPI_Finalized");
        _ = isFinalized(&finalized);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(mpi);
        return [$"finalized {finalized}"];
    }

    /// <summary>Joins an MPI that is for its main thread only: that one may, and others are told why they may not.</summary>
    internal static IEnumerable<string> JoinOnOneThread()
    {
        nint mpi = Initialize(Funneled);
        MpiCollective world = MpiCollective.World(RankThreads.Ample);
        string refused = "";
        Thread other = new(() =>
        {
            try
            {
                world.Barrier();
            }
            catch (InvalidOperationException e)
            {
                refused = e.Message;
            }
        });
        // On one rank only: the others' operations have to be in step with its own afterwards.
        if (world.Rank == 0)
        {
            other.Start();
            other.Join();
        }

        string sum = Sum(world);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(mpi);
        return [sum, refused];
    }

    /// <summary>What a program does that leaves nothing of MPI to this library.</summary>
    internal static void Initialize() => Initialize(Serialized);

    private static nint Initialize(int wanted)
    {
        nint mpi = Load();
        var initialize = (delegate* unmanaged[Cdecl]<void*, void*, int, int*, int>)NativeLibrary.GetExport(mpi, "MPI_Init_thread");
        int level;
        _ = initialize(null, null, wanted, &level);
        return mpi;
    }

    /// <summary>A group cannot be made where MPI has come to its end.</summary>
    internal static IEnumerable<string> TooLate()
    {
        End(Initialize(Serialized));
        try
        {
            MpiCollective.World(RankThreads.Ample).Dispose();
            return ["opened"];
        }
        catch (InvalidOperationException e)
        {
            return [e.Message];
        }
    }

    private static string Sum(MpiCollective world)
    {
        double[] sum = [1];
        world.AllReduce(sum);
        return $"sum {sum[0]}";
    }

    // Behind the library for MPI, so that it is the MPI that this was built for.
    private static nint Load()
    {
        nint library = NativeLibraryResolver.Mpi.Load().Handle;
        return NativeLibrary.TryGetExport(library, "MPI_Init_thread", out _) ? library : NativeLibrary.Load("libmpi.so.40");
    }

    private static void End(nint mpi)
    {
        var finalize = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(mpi, "MPI_Finalize");
        Console.WriteLine($"finalize {finalize()}");
    }
}
