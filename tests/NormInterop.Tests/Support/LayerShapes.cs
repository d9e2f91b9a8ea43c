namespace NormInterop.Tests.Support;

/// <summary>Every layer on shapes that take different ways through the native library, which ModuleCase's are too small for.</summary>
internal static class LayerShapes
{
    /// <summary>
    /// Few large sets and many small ones; rows of 128 and more; one position, which makes GroupNorm a matter of rows; ends that no
    /// vector fits.
    /// </summary>
    internal static IReadOnlyList<ModuleCase> Medium { get; } =
    [
        .. Channels("BatchNorm1d", "9x19", "3x70x5"),
        .. Channels("BatchNorm2d", "3x5x7x9", "2x3x35x45"),
        .. Channels("InstanceNorm1d", "3x19x33", "70x5"),
        .. Channels("InstanceNorm2d", "3x5x7x9", "2x3x35x45"),
        .. Channels("InstanceNorm3d", "2x18x3x4x5"),
        .. Channels("CaffeBatchNorm", "9x19", "3x5x7x9", "2x3x35x45"),
        .. Groups("5x12", 3), .. Groups("150x34", 2), .. Groups("3x6x5x7", 2), .. Groups("3x40x7x7", 10), .. Groups("2x4x35x45", 1),
        .. Groups("2x6x1x33", 6),
        .. Rows("9x19", "19"), .. Rows("150x37", "37"), .. Rows("3x1100", "1100"), .. Rows("4x3x5x7", "5x7"), .. Rows("600x3", "3"),
        .. Scales("9x19", "19"), .. Scales("3x5x7x9", "5"), .. Scales("3x5x7x9", "5x7"), .. Scales("150x37", "37"),
    ];

    /// <summary>Beyond the size at which threads start, and with it all ways to share work among them.</summary>
    internal static IReadOnlyList<ModuleCase> Large { get; } =
    [
        .. Channels("BatchNorm2d", "8x4x96x81", "64x67x7x7"), .. Channels("BatchNorm1d", "3001x70"),
        .. Channels("InstanceNorm2d", "2x3x201x257", "16x67x16x15", "9x16x130x75"),
        .. Groups("1x4x201x257", 2), .. Groups("16x96x13x14", 32), .. Groups("1001x210", 7), .. Groups("5x8x200x201", 4),
        .. Groups("2x17x250x251", 17), .. Groups("64x64x7x7", 1),
        .. Rows("3001x70", "70"), .. Rows("129x1700", "1700"), .. Rows("2x150000", "150000"), .. Rows("1x131073", "131073"),
        .. Rows("40x40x15x15", "15"),
        .. Channels("CaffeBatchNorm", "8x4x96x81"),
        .. Scales("8x4x96x81", "4"), .. Scales("300x1025", "1025"),
    ];

    /// <summary>The name says the shape and what makes the sets.</summary>
    internal static ModuleCase Of(string layer, string name) =>
        Medium.Concat(Large).First(c => c.Layer == layer && c.Name == name);

    private static IEnumerable<ModuleCase> Channels(string layer, params string[] shapes) =>
        from lengths in shapes
        let shape = Tensors.Shape(lengths)
        let unbatched = layer.StartsWith("InstanceNorm", StringComparison.Ordinal) && shape.Length == 1 + int.Parse(layer[^2..^1], null)
        select new ModuleCase(layer, lengths, new ModuleSettings { Channels = shape[unbatched ? 0 : 1] }, shape);

    private static IEnumerable<ModuleCase> Groups(string lengths, int groups)
    {
        int[] shape = Tensors.Shape(lengths);
        yield return new ModuleCase(
            "GroupNorm", $"{lengths} in {groups}", new ModuleSettings { Channels = shape[1], Groups = groups }, shape);
    }

    private static IEnumerable<ModuleCase> Rows(string lengths, string normalized) =>
        from layer in new[] { "LayerNorm", "RMSNorm" }
        select new ModuleCase(
            layer,
            $"{lengths} over {normalized}",
            new ModuleSettings { Shape = Tensors.Shape(normalized), Eps = layer is "RMSNorm" ? null : 1e-5 },
            Tensors.Shape(lengths));

    private static IEnumerable<ModuleCase> Scales(string lengths, string scale)
    {
        int[] shape = Tensors.Shape(scale);
        yield return new ModuleCase(
            "CaffeScale", $"{lengths} by {scale}", new ModuleSettings { Shape = shape, NumAxes = shape.Length }, Tensors.Shape(lengths));
    }
}
