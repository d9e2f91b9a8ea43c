namespace NormInterop.RankBench;

/// <summary>What the command line says.</summary>
/// <param name="Quick">Fewer rounds.</param>
/// <param name="Link">What the ranks talk through, for the reports.</param>
/// <param name="Results">The file that the first rank writes; empty for none.</param>
/// <param name="Model">The files to fit the model to, instead of timing.</param>
internal sealed record Options(bool Quick, string Link, string Results, IReadOnlyList<string> Model)
{
    public const string Usage = """
        Times the collective operations of SyncBatchNorm, and its share of a layer's step. Use: ./build.sh bench --mpi [--quick]

          mpirun -np 4 dotnet NormInterop.RankBench.dll [--quick] [--link <name>] [--results <file>]
              times them by the ranks of this job; writes the medians to the file as well
          mpirun -np 1 dotnet NormInterop.RankBench.dll [--quick] --model <file>...
              fits latency and bandwidth to such files, and predicts 64 and 1024 hosts
        """;

    /// <summary>Null for what cannot be read, and then what is wrong with it; nothing is, where help is asked for.</summary>
    public static Options? Parse(string[] arguments, out string complaint)
    {
        Options options = new(false, "memory", "", []);
        complaint = "";
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            switch (argument)
            {
                case "--quick":
                    options = options with { Quick = true };
                    continue;
                case "--help" or "-h":
                    return null;
                case "--link" when value is not null:
                    options = options with { Link = value };
                    i++;
                    continue;
                case "--results" when value is not null:
                    options = options with { Results = value };
                    i++;
                    continue;
                case "--model" when value is not null:
                    return options with { Model = arguments[(i + 1)..] };
                default:
                    complaint = $"Cannot read the argument {argument}.";
                    return null;
            }
        }

        return options;
    }
}
