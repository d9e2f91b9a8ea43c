namespace NormInterop.Samples.DataParallel;

/// <summary>What mpirun or mpiexec tells a process by its environment, long before there is a group.</summary>
internal static class Launcher
{
    private static readonly string? s_rank = Variable("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK");

    /// <summary>Whether there is one.</summary>
    public static bool IsThere => s_rank is not null;

    /// <summary>Whether this process should say what all processes have to say.</summary>
    public static bool IsFirst => s_rank is null or "0";

    /// <summary>"Rank 2: ", or nothing without a launcher.</summary>
    public static string Label => s_rank is null ? "" : $"Rank {s_rank}: ";

    /// <summary>
    /// Writes why this process ends, which is the same on all of them: the first one says it. The others wait a while, since a launcher
    /// ends all processes with the first that fails; where it has not by then, they were not all alike.
    /// </summary>
    public static void SayOnce(string message)
    {
        if (!IsFirst)
            Thread.Sleep(TimeSpan.FromSeconds(2));
        Console.Error.WriteLine(IsFirst ? message : Label + message);
    }

    /// <summary>How to start this program in several processes.</summary>
    public static string Command(int ranks)
    {
        string program = Environment.ProcessPath ?? "dotnet";
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        string path = isHost ? Path.Combine(AppContext.BaseDirectory, $"{typeof(Launcher).Assembly.GetName().Name}.dll") : program;
        return $"mpirun -np {ranks} {(isHost ? "dotnet " : "")}{Path.GetRelativePath(Environment.CurrentDirectory, path)}";
    }

    /// <summary>
    /// A launcher may give its processes terminals, though what they write goes to a file in the end. This keeps Console from sending them
    /// control sequences, as it does at once. To be called before anything is written.
    /// </summary>
    public static void MakeConsolePlain()
    {
        if (IsThere)
            Environment.SetEnvironmentVariable("TERM", "dumb");
    }

    private static string? Variable(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
                return value;
        }

        return null;
    }
}
