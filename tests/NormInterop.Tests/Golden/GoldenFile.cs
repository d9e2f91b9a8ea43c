using System.Text.Json;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Golden;

/// <summary>One case of tests/golden; README.md there says how the numbers were made and what they mean.</summary>
public sealed record GoldenFile
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static string Root => Path.Combine(Repository.Root, "tests", "golden");

    public required string Layer { get; init; }

    public required string Name { get; init; }

    /// <summary>Whether inputs and output gradients are exact in Half and BFloat16.</summary>
    public required bool SixteenBit { get; init; }

    public int? NumFeatures { get; init; }

    public int? NumGroups { get; init; }

    public int? NumChannels { get; init; }

    public int[]? NormalizedShape { get; init; }

    public int[]? ScaleShape { get; init; }

    /// <summary>Null is the machine epsilon of RMSNorm, and CaffeScale has none.</summary>
    public double? Eps { get; init; }

    /// <summary>"float32" or "float64" where eps is null: the type for which the numbers hold.</summary>
    public string? MachineEpsilonOf { get; init; }

    /// <summary>Null is the cumulative average.</summary>
    public double? Momentum { get; init; }

    public bool TrackRunningStats { get; init; }

    public double MovingAverageFraction { get; init; }

    public bool? UseGlobalStats { get; init; }

    public int Axis { get; init; }

    public int NumAxes { get; init; }

    public required float[]? Weight { get; init; }

    public required float[]? Bias { get; init; }

    public required IReadOnlyList<GoldenStep> Steps { get; init; }

    internal ModuleSettings Settings => new()
    {
        Channels = NumFeatures ?? NumChannels ?? 0,
        Groups = NumGroups ?? 1,
        Shape = NormalizedShape ?? ScaleShape ?? [],
        Eps = Eps,
        Momentum = Momentum,
        Affine = Weight is not null,
        Bias = Bias is not null,
        Tracking = TrackRunningStats,
        Fraction = MovingAverageFraction,
        UseGlobalStats = UseGlobalStats,
        Axis = Axis,
        NumAxes = NumAxes,
    };

    /// <summary>The layers that have vectors, in ordinal order.</summary>
    public static IEnumerable<string> Layers =>
        from folder in Directory.GetDirectories(Root)
        let layer = Path.GetFileName(folder)
        where char.IsUpper(layer[0])
        orderby layer
        select layer;

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

    /// <summary>Reads a file.</summary>
    /// <param name="layer">The layer that is to give the numbers of the file.</param>
    /// <param name="name">The file; with the folder in front where it is not one of this layer.</param>
    public static GoldenFile Load(string layer, string name)
    {
        string file = (name.Contains('/', StringComparison.Ordinal) ? name : $"{layer}/{name}") + ".json";
        using FileStream stream = File.OpenRead(Path.Combine(Root, file));
        return JsonSerializer.Deserialize<GoldenFile>(stream, Options) is { } golden
            ? golden with { Layer = layer }
            : throw new InvalidDataException($"The golden file {file} is null.");
    }

    /// <summary>Whether the numbers hold for a layer that computes in this type.</summary>
    public bool HoldsFor(Type parameters) =>
        MachineEpsilonOf is null || MachineEpsilonOf == (parameters == typeof(float) ? "float32" : "float64");

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

    public double[]? RunningMean { get; init; }

    public double[]? RunningVar { get; init; }

    public long? NumBatchesTracked { get; init; }

    public double[]? MeanSum { get; init; }

    public double[]? VarianceSum { get; init; }

    public double[]? Factor { get; init; }

    /// <summary>Accumulated over this and all steps before it, evaluations included.</summary>
    public required double[]? WeightGrad { get; init; }

    /// <summary>Accumulated over this and all steps before it, evaluations included.</summary>
    public required double[]? BiasGrad { get; init; }

    /// <summary>Buffers by their names: those of the running statistics or Caffe's.</summary>
    internal IEnumerable<(string Name, double[] Values)> Buffers =>
        from buffer in new[]
        {
            ("running_mean", RunningMean),
            ("running_var", RunningVar),
            ("mean_sum", MeanSum),
            ("variance_sum", VarianceSum),
            ("factor", Factor),
        }
        where buffer.Item2 is not null
        select (buffer.Item1, buffer.Item2);
}
