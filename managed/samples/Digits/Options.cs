using System.Globalization;

namespace NormInterop.Samples.Digits;

/// <summary>What the command line may change. The defaults are the demo.</summary>
internal sealed record Options
{
    public const string Usage = """
        Trains a perceptron on handwritten digits twice, with and without BatchNorm1d.

        Options:
          --epochs N           passes over the training images, 1 to 1000 (default 12)
          --learning-rate R    step of gradient descent, above 0 (default 1)
          --batch N            images per step, 2 to 1024 (default 64)
          --seed N             seed of split, initial weights and batch order (default 1)
          --help               show this text
        """;

    public int Epochs { get; init; } = 12;

    public float LearningRate { get; init; } = 1f;

    public int BatchSize { get; init; } = 64;

    public int Seed { get; init; } = 1;

    public bool Help { get; init; }

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
            if (name is not ("--epochs" or "--learning-rate" or "--batch" or "--seed"))
                throw new DemoException($"Unknown argument '{name}'.");
            if (++i == arguments.Length)
                throw new DemoException($"{name} needs a value.");

            options = options.With(name, arguments[i]);
        }

        return options;
    }

    private Options With(string name, string value) => name switch
    {
        "--epochs" => this with { Epochs = Integer(name, value, 1, 1000) },
        "--batch" => this with { BatchSize = Integer(name, value, 2, 1024) },
        "--seed" => this with { Seed = Integer(name, value, 0, 1_000_000_000) },
        _ => this with { LearningRate = Positive(name, value) },
    };

    private static int Integer(string name, string value, int minimum, int maximum)
    {
        bool valid = int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number);
        return valid && number >= minimum && number <= maximum
            ? number
            : throw new DemoException($"{name} must be a whole number from {minimum} to {maximum}, not '{value}'.");
    }

    private static float Positive(string name, string value)
    {
        bool valid = float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number);
        return valid && number > 0 && float.IsFinite(number)
            ? number
            : throw new DemoException($"{name} must be a number above 0, not '{value}'.");
    }
}
