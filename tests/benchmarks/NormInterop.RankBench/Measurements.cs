using System.Globalization;

namespace NormInterop.RankBench;

/// <summary>What an operation, or a layer's step, took.</summary>
/// <param name="What">The operation, or <see cref="Measurements.Step"/>.</param>
/// <param name="Channels">C.</param>
/// <param name="Seconds">The median.</param>
internal readonly record struct Measurement(string What, int Channels, double Seconds);

/// <summary>The medians of one job, and how they are kept in a file.</summary>
/// <param name="Link">What the ranks talked through.</param>
/// <param name="Ranks">How many they were.</param>
/// <param name="All">The medians.</param>
internal sealed record Measurements(string Link, int Ranks, IReadOnlyList<Measurement> All)
{
    public const string Step = "BatchNorm2d";

    public static Measurements Of(string link, int ranks, CollectiveTimes alone, LayerTimes[] layers)
    {
        List<Measurement> all = [];
        foreach (string operation in (string[])[CollectiveTimes.Forward, CollectiveTimes.Backward])
            all.AddRange(CollectiveTimes.Channels.Select(c => new Measurement(operation, c, alone.Of(operation, c).Slowest())));
        all.AddRange(layers.Select(layer => new Measurement(Step, layer.Shape.Channels, layer.Plain.Slowest())));
        return new(link, ranks, all);
    }

    public static Measurements Read(string file)
    {
        string[][] lines = [.. File.ReadLines(file).Select(line => line.Split('\t'))];
        if (lines.Length == 0 || lines.Any(fields => fields.Length != 5))
            throw new FormatException($"{file} is not a file of this program.");
        return new(lines[0][0], int.Parse(lines[0][1], CultureInfo.InvariantCulture), [.. lines.Select(fields => new Measurement(
            fields[2], int.Parse(fields[3], CultureInfo.InvariantCulture), double.Parse(fields[4], CultureInfo.InvariantCulture)))]);
    }

    public void Write(string file) => File.WriteAllLines(
        file, All.Select(m => FormattableString.Invariant($"{Link}\t{Ranks}\t{m.What}\t{m.Channels}\t{m.Seconds:R}")));
}
