using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Commands;

/// <summary>Kinds of options, with errors that say what was expected.</summary>
internal static class Arguments
{
    /// <summary>Some values of an enumeration, by the words that reports have for them.</summary>
    public static Option<T[]> Several<T>(string name, string description, Func<T, string> text)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetValues<T>().Select(text)];
        T[] Parse(ArgumentResult result)
        {
            List<T> values = [];
            foreach (Token token in result.Tokens)
            {
                int index = Array.FindIndex(names, known => known.Equals(token.Value, StringComparison.OrdinalIgnoreCase));
                if (index >= 0)
                    values.Add(Enum.GetValues<T>()[index]);
                else
                    result.AddError($"{name}: expected one of {string.Join(", ", names)}, got '{token.Value}'");
            }

            return [.. values];
        }

        return new(name)
        {
            Description = $"{description} (all)",
            CustomParser = Parse,
            AllowMultipleArgumentsPerToken = true,
            HelpName = string.Join('|', names),
        };
    }

    /// <summary>A number from 1.</summary>
    public static Option<int> Number(string name, string description, Func<ArgumentResult, int>? usual, int most)
    {
        int Parse(ArgumentResult result)
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= 1 && value <= most)
                return value;
            result.AddError(most == int.MaxValue
                ? $"{name}: expected a number from 1, got '{text}'"
                : $"{name}: expected a number from 1 to {most}, got '{text}'");
            return 0;
        }

        Option<int> option = new(name) { Description = description, CustomParser = Parse, HelpName = "number" };
        if (usual is not null)
            option.DefaultValueFactory = usual;
        return option;
    }

    /// <summary>A time for something.</summary>
    public static Option<double> Seconds(string name, string description)
    {
        double Parse(ArgumentResult result)
        {
            string text = result.Tokens[0].Value;
            bool valid = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
            if (valid && value > 0 && double.IsFinite(value))
                return value;
            result.AddError($"{name}: expected a number above 0, got '{text}'");
            return 0;
        }

        return new(name) { Description = description, CustomParser = Parse, HelpName = "number" };
    }

    /// <summary>Lengths of tensors.</summary>
    public static Option<Shape[]> Shapes(string name, string description)
    {
        Shape[] Parse(ArgumentResult result)
        {
            List<Shape> shapes = [];
            foreach (Token token in result.Tokens)
            {
                if (Shape.Parse(token.Value, out string error) is { } shape)
                    shapes.Add(shape);
                else
                    result.AddError($"{name}: {error}");
            }

            return [.. shapes];
        }

        return new(name) { Description = description, CustomParser = Parse, AllowMultipleArgumentsPerToken = true, HelpName = "lengths" };
    }

    /// <summary>Threads of a call, as many as the library takes at most.</summary>
    public static Option<int> Threads() => Number("--threads", "threads of everyone but the reference (all)", null, 1024);

    /// <summary>The folder of the reports.</summary>
    /// <param name="files">Which these are.</param>
    public static Option<DirectoryInfo> Out(string files) => new("--out")
    {
        Description = $"folder for {files} (build/bench)",
        DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(BuildFacts.Get("RepositoryRoot"), "build", "bench")),
        HelpName = "folder",
    };
}
