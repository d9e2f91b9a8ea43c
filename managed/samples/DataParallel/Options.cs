using NormInterop.Samples.Digits;

namespace NormInterop.Samples.DataParallel;

/// <summary>What the command line may change. The defaults are the demo.</summary>
internal sealed record Options
{
    public const string Usage = """
        Trains a perceptron on handwritten digits in several processes at once. Each rank has a part of the
        images and a copy of the network; after each step's backward the gradients are averaged over the
        ranks. This is done with SyncBatchNorm, whose statistics are those of all ranks' images, and with
        BatchNorm on each rank's own few images.

        Start it with: mpirun -np 4 dotnet NormInterop.Samples.DataParallel.dll [options]

        Options:
          --sync               with SyncBatchNorm only
          --local              with local BatchNorm only
          --steps N            steps of gradient descent, 1 to 100000 (default 200)
          --images N           images of a step on each rank, 1 to 256 (default 4; with local BatchNorm at least 2)
          --learning-rate R    step of gradient descent, above 0 (default 0.2)
          --layers N           hidden layers, 1 to 32 (default 4)
          --hidden N           features of a hidden layer, 1 to 1024 (default 64)
          --seed N             first seed of split, initial weights and batch order (default 1)
          --seeds N            trainings, each with the next seed, 1 to 100 (default 5)
          --help               show this text
        """;

    /// <summary>What to train with, one after the other.</summary>
    public IReadOnlyList<Statistics> Statistics { get; init; } = [DataParallel.Statistics.Sync, DataParallel.Statistics.Local];

    public int Steps { get; init; } = 200;

    public int Images { get; init; } = 4;

    public float LearningRate { get; init; } = 0.2f;

    public int Layers { get; init; } = 4;

    public int Hidden { get; init; } = 64;

    public int Seed { get; init; } = 1;

    public int Seeds { get; init; } = 5;

    public bool Help { get; init; }

    /// <summary>Whether this is the demo itself, of which is known what comes out.</summary>
    public bool IsDemo => this with { Statistics = [] } == new Options { Statistics = [] };

    /// <summary>Reads the command line.</summary>
    /// <exception cref="DemoException">An argument is unknown, lacks its value or is out of range.</exception>
    public static Options Parse(ReadOnlySpan<string> arguments)
    {
        Options options = new();
        List<Statistics> wanted = [];
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            switch (name)
            {
                case "--help" or "-h":
                    return options with { Help = true };
                case "--sync":
                    wanted.Add(DataParallel.Statistics.Sync);
                    break;
                case "--local":
                    wanted.Add(DataParallel.Statistics.Local);
                    break;
                case "--steps" or "--images" or "--learning-rate" or "--layers" or "--hidden" or "--seed" or "--seeds":
                    if (++i == arguments.Length)
                        throw new DemoException($"{name} needs a value.");
                    options = options.With(name, arguments[i]);
                    break;
                default:
                    throw new DemoException($"Unknown argument '{name}'.");
            }
        }

        if (wanted.Count > 0)
            options = options with { Statistics = [.. wanted.Distinct().Order()] };
        return options.Statistics.Contains(DataParallel.Statistics.Local) && options.Images < 2
            ? throw new DemoException("--images 1 needs --sync: a BatchNorm of its own cannot take the variance of one image.")
            : options;
    }

    private Options With(string name, string value) => name switch
    {
        "--steps" => this with { Steps = OptionValue.Integer(name, value, 1, 100_000) },
        "--images" => this with { Images = OptionValue.Integer(name, value, 1, 256) },
        "--layers" => this with { Layers = OptionValue.Integer(name, value, 1, 32) },
        "--hidden" => this with { Hidden = OptionValue.Integer(name, value, 1, 1024) },
        "--seed" => this with { Seed = OptionValue.Integer(name, value, 0, 1_000_000_000) },
        "--seeds" => this with { Seeds = OptionValue.Integer(name, value, 1, 100) },
        _ => this with { LearningRate = OptionValue.Positive(name, value) },
    };
}
