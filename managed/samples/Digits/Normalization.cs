namespace NormInterop.Samples.Digits;

/// <summary>What normalizes the hidden layers, by the words of the command line.</summary>
internal enum Normalization
{
    Batch,
    Layer,
    Group,
    None,
}

internal static class NormalizationExtensions
{
    /// <summary>Groups of 16 neighbours among the 128 features.</summary>
    public const int Groups = 8;

    /// <summary>The library's name for it.</summary>
    public static string Name(this Normalization normalization) => normalization switch
    {
        Normalization.Batch => "BatchNorm1d",
        Normalization.Layer => "LayerNorm",
        Normalization.Group => "GroupNorm",
        _ => "no normalization",
    };

    /// <summary>A new layer for inputs (N, features), or null for none.</summary>
    public static NormModule<float>? Create(this Normalization normalization, int features) => normalization switch
    {
        Normalization.Batch => new BatchNorm1d<float>(features),
        Normalization.Layer => new LayerNorm<float>([features]),
        Normalization.Group => new GroupNorm<float>(Groups, features),
        _ => null,
    };
}
