namespace NormInterop.Samples.Digits;

/// <summary>What the command line may change. The defaults are the demo.</summary>
internal sealed record Options
{
    public const string Usage = """
        Trains a perceptron on handwritten digits twice, with and without a normalization, then saves
        its state, reloads it into a new network, and lets that one read the test images.

        Options:
          --norm WHICH         normalization of the hidden layers: batch, layer, group or none (default batch)
          --epochs N           passes over the training images, 1 to 1000 (default 12)
          --learning-rate R    step of gradient descent, above 0 (default 1)
          --batch N            images per step, 2 to 1024 (default 64)
          --seed N             seed of split, initial weights and batch order (default 1)
          --save PATH          keep the trained state there, as a safetensors file (default: a temporary file)
          --help               show this text
        """;

    public Normalization Normalization { get; init; } = Normalization.Batch;

    public int Epochs { get; init; } = 12;

    public float LearningRate { get; init; } = 1f;

    public int BatchSize { get; init; } = 64;

    public int Seed { get; init; } = 1;

    /// <summary>Where the trained state is kept; null for nowhere.</summary>
    public string? SavePath { get; init; }

    public bool Help { get; init; }

    /// <summary>Whether the training is the demo's own, of which is known what comes out.</summary>
    public bool HasDefaultTraining => this with { Normalization = default, SavePath = null } == new Options { Normalization = default };

    /// <summary>Reads the command line.</summary>
    /// <exception cref="DemoException">An argument is unknown, lacks its value or is out of range.</exception>
    public static Options Parse(ReadOnlySpan<string> arguments)
    {
        Options options = new();
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            if (name is "--help" or "-h")
                return options with { Help = true };
            if (name is not ("--norm" or "--epochs" or "--learning-rate" or "--batch" or "--seed" or "--save"))
                throw new DemoException($"Unknown argument '{name}'.");
            if (++i == arguments.Length)
                throw new DemoException($"{name} needs a value.");

            options = options.With(name, arguments[i]);
        }

        return options;
    }

    private Options With(string name, string value) => name switch
    {
        "--norm" => this with { Normalization = Choice(name, value) },
        "--save" => this with { SavePath = NewFile(name, value) },
        "--epochs" => this with { Epochs = OptionValue.Integer(name, value, 1, 1000) },
        "--batch" => this with { BatchSize = OptionValue.Integer(name, value, 2, 1024) },
        "--seed" => this with { Seed = OptionValue.Integer(name, value, 0, 1_000_000_000) },
        _ => this with { LearningRate = OptionValue.Positive(name, value) },
    };

    private static Normalization Choice(string name, string value) => value switch
    {
        "batch" => Normalization.Batch,
        "layer" => Normalization.Layer,
        "group" => Normalization.Group,
        "none" => Normalization.None,
        _ => throw new DemoException($"{name} must be batch, layer, group or none, not '{value}'."),
    };

    // Now rather than after the training.
    private static string NewFile(string name, string value)
    {
        if (string.IsNullOrWhiteSpace(value) || Path.EndsInDirectorySeparator(value) || Directory.Exists(value))
            throw new DemoException($"{name} must name a file, not '{value}'.");
        string path = Path.GetFullPath(value);
        return Directory.Exists(Path.GetDirectoryName(path))
            ? path
            : throw new DemoException($"{name} must name a file in a directory that exists, not '{value}'.");
    }
}
