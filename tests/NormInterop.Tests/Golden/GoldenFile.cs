using System.Text.Json;
using System.Text.Json.Serialization;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Golden;

/// <summary>One case of tests/golden; README.md there says how the numbers were made and what they mean.</summary>
public sealed record GoldenFile
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static string Root => Path.Combine(Repository.Root, "tests", "golden");

    public required string Layer { get; init; }

    public required string Name { get; init; }

    public required int NumFeatures { get; init; }

    public required double Eps { get; init; }

    /// <summary>Null is the cumulative average.</summary>
    public required double? Momentum { get; init; }

    public required bool Affine { get; init; }

    public required bool TrackRunningStats { get; init; }

    public required float[]? Weight { get; init; }

    public required float[]? Bias { get; init; }

    public required IReadOnlyList<GoldenStep> Steps { get; init; }

    /// <summary>The names of all cases of a layer in ordinal order, as a source of DynamicData.</summary>
    public static IEnumerable<string> Names(string layer)
    {
        string[] files = Directory.GetFiles(Path.Combine(Root, layer), "*.json");
        string[] names = files.Select(file => Path.GetFileNameWithoutExtension(file)).ToArray();

        // A test over no cases would pass.
        if (names.Length == 0)
            throw new FileNotFoundException($"No golden vectors of {layer} in {Root}.");

        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    public static GoldenFile Load(string layer, string name)
    {
        using FileStream stream = File.OpenRead(Path.Combine(Root, layer, name + ".json"));
        return JsonSerializer.Deserialize<GoldenFile>(stream, Options)
            ?? throw new InvalidDataException($"The golden file {layer}/{name}.json is null.");
    }

    public override string ToString() => $"{Layer}/{Name}";
}

/// <summary>One forward of the module, with a backward where <see cref="Dy"/> is not null, and the module's state after it.</summary>
public sealed record GoldenStep
{
    public required bool Training { get; init; }

    /// <summary>Lengths in PyTorch's order (N, C, ...). All arrays of that shape are row-major.</summary>
    public required int[] Shape { get; init; }

    public required float[] X { get; init; }

    public required float[]? Dy { get; init; }

    public required double[] Y { get; init; }

    public required double[]? Dx { get; init; }

    public required double[]? RunningMean { get; init; }

    public required double[]? RunningVar { get; init; }

    public required long? NumBatchesTracked { get; init; }

    /// <summary>Accumulated over this and all steps before it, evaluations included.</summary>
    public required double[]? WeightGrad { get; init; }

    /// <summary>Accumulated over this and all steps before it, evaluations included.</summary>
    public required double[]? BiasGrad { get; init; }

    /// <summary>What PyTorch computes in float32; in the first step only.</summary>
    [JsonPropertyName("y_float32")]
    public float[]? YFloat32 { get; init; }
}
