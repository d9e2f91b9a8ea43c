namespace NormInterop.PeerBench.Model;

/// <summary>The layers. The numbers are those of peer_family.</summary>
internal enum Family
{
    BatchNorm,
    LayerNorm,
    RmsNorm,
    GroupNorm,
    InstanceNorm,
}

/// <summary>What is timed. The numbers are those of peer_pass.</summary>
internal enum Pass
{
    /// <summary>Forward with statistics of the input; BatchNorm in training.</summary>
    Forward,

    /// <summary>BatchNorm with its running statistics.</summary>
    Inference,

    /// <summary>Backward of <see cref="Forward"/>: gradients of input, weight and bias.</summary>
    Backward,

    /// <summary>Backward of <see cref="Inference"/>: the same three.</summary>
    InferenceBackward,
}

/// <summary>Memory order of a tensor with channels. The numbers are those of peer_layout.</summary>
internal enum Layout
{
    Contiguous,
    ChannelsLast,
}

/// <summary>Type of the data. The numbers are those of peer_data_type.</summary>
internal enum DataType
{
    Float,
    Double,
    Half,
    BFloat16,
}

/// <summary>Which memory a case lives in: what it can be held to depends on that.</summary>
internal enum SizeClass
{
    /// <summary>A few times a second-level cache at most: a call's own cost counts.</summary>
    Small,

    /// <summary>Fits in the last-level cache.</summary>
    Cached,

    /// <summary>Larger than the last-level cache.</summary>
    Beyond,
}

/// <summary>The words of the command line and of the reports for the choices, and what they imply.</summary>
internal static class Choices
{
    private static readonly Dictionary<Pass, string> PassTexts = new()
    {
        [Pass.Forward] = "forward",
        [Pass.Inference] = "inference",
        [Pass.Backward] = "backward",
        [Pass.InferenceBackward] = "inference-backward",
    };

    public static string Text(this Family family) => family == Family.RmsNorm ? "RMSNorm" : family.ToString();

    public static string Text(this Pass pass) => PassTexts[pass];

    public static string Text(this Layout layout) => layout == Layout.ChannelsLast ? "channels-last" : "contiguous";

    public static string Text(this DataType type) => type switch
    {
        DataType.Float => "float",
        DataType.Double => "double",
        DataType.Half => "Half",
        _ => "BFloat16",
    };

    public static string Text(this SizeClass size) => size switch
    {
        SizeClass.Small => "small",
        SizeClass.Cached => "cache",
        _ => "memory",
    };

    /// <summary>Bytes of an element.</summary>
    public static int Size(this DataType type) => type switch
    {
        DataType.Double => 8,
        DataType.Float => 4,
        _ => 2,
    };

    public static bool IsBackward(this Pass pass) => pass is Pass.Backward or Pass.InferenceBackward;

    /// <summary>Whether statistics come from the running buffers.</summary>
    public static bool UsesRunning(this Pass pass) => pass is Pass.Inference or Pass.InferenceBackward;

    /// <summary>Whether the family normalizes rows, so that a tensor has one layout only.</summary>
    public static bool IsRows(this Family family) => family is Family.LayerNorm or Family.RmsNorm;

    public static IReadOnlyList<Pass> Passes(this Family family) =>
        family == Family.BatchNorm ? Enum.GetValues<Pass>() : [Pass.Forward, Pass.Backward];

    public static IReadOnlyList<Layout> Layouts(this Family family) =>
        family.IsRows() ? [Layout.Contiguous] : Enum.GetValues<Layout>();
}
