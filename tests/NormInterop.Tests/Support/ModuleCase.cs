namespace NormInterop.Tests.Support;

/// <summary>A layer with settings and the shape of an input for it: what gradient checks and state tests run over.</summary>
internal sealed record ModuleCase(string Layer, string Name, ModuleSettings Settings, int[] Shape)
{
    /// <summary>Every layer in every kind of settings that changes its arithmetic, on shapes small enough for finite differences.</summary>
    internal static IReadOnlyList<ModuleCase> All { get; } =
        [.. BatchNorms(), .. InstanceNorms(), .. GroupNorms(), .. RowNorms(), .. CaffeBatchNorms(), .. CaffeScales()];

    internal static ModuleCase Of(string layer, string name) => All.Single(c => c.Layer == layer && c.Name == name);

    public override string ToString() => $"{Layer}/{Name}";

    private static IEnumerable<ModuleCase> BatchNorms() =>
        from shape in new[] { new[] { 5, 3 }, [3, 3, 5], [3, 3, 2, 3], [2, 3, 2, 3, 2] }
        from layer in new[] { $"BatchNorm{Math.Max(shape.Length - 2, 1)}d", "SyncBatchNorm" }
        from affine in new[] { true, false }
        from tracking in new[] { true, false }
        select new ModuleCase(
            layer,
            $"{Lengths(shape)}{(affine ? " affine" : "")}{(tracking ? " tracking" : "")}",
            new ModuleSettings { Channels = shape[1], Affine = affine, Tracking = tracking },
            shape);

    private static IEnumerable<ModuleCase> InstanceNorms() =>
        from shape in new[] { new[] { 2, 3, 5 }, [2, 3, 2, 3], [2, 3, 2, 3, 2] }
        from unbatched in new[] { false, true }
        from affine in new[] { true, false }
        from tracking in new[] { true, false }
        select new ModuleCase(
            $"InstanceNorm{shape.Length - 2}d",
            $"{Lengths(unbatched ? shape[1..] : shape)}{(affine ? " affine" : "")}{(tracking ? " tracking" : "")}",
            new ModuleSettings { Channels = shape[1], Affine = affine, Tracking = tracking },
            unbatched ? shape[1..] : shape);

    private static IEnumerable<ModuleCase> GroupNorms() =>
        from c in new[]
        {
            (Groups: 2, Shape: new[] { 3, 6 }), (1, [3, 4]), (1, [2, 3, 5]), (3, [2, 3, 5]), (2, [2, 4, 2, 3]), (4, [2, 4, 2, 3]),
            (1, [2, 4, 2, 3]), (2, [2, 4, 2, 1, 3]),
        }
        from affine in new[] { true, false }
        select new ModuleCase(
            "GroupNorm",
            $"{Lengths(c.Shape)} in {c.Groups}{(affine ? " affine" : "")}",
            new ModuleSettings { Channels = c.Shape[1], Groups = c.Groups, Affine = affine },
            c.Shape);

    private static IEnumerable<ModuleCase> RowNorms() =>
        from layer in new[] { "LayerNorm", "RMSNorm" }
        from c in new[]
        {
            (Normalized: new[] { 7 }, Shape: new[] { 3, 7 }), ([19], [2, 19]), ([3, 5], [3, 5]), ([5], [2, 3, 5]), ([3, 5], [2, 3, 5]),
            ([3], [2, 3, 2, 3]), ([3, 2, 3], [2, 3, 2, 3]), ([2, 3], [2, 2, 2, 2, 3]),
        }
        from parameters in layer is "LayerNorm" ? new[] { "weight and bias", "weight", "none" } : ["weight", "none"]
        select new ModuleCase(
            layer,
            $"{Lengths(c.Shape)} over {Lengths(c.Normalized)} {parameters}",
            new ModuleSettings
            {
                Shape = c.Normalized,
                Affine = parameters is not "none",
                Bias = parameters is "weight and bias",
                Eps = layer is "RMSNorm" ? null : 1e-5,
            },
            c.Shape);

    private static IEnumerable<ModuleCase> CaffeBatchNorms() =>
        from shape in new[] { new[] { 5, 3 }, [3, 3, 5], [3, 3, 2, 3], [2, 3, 2, 3, 2] }
        from useGlobal in new bool?[] { null, true, false }
        select new ModuleCase(
            "CaffeBatchNorm",
            $"{Lengths(shape)} global {useGlobal?.ToString() ?? "null"}",
            new ModuleSettings { Channels = shape[1], UseGlobalStats = useGlobal },
            shape);

    private static IEnumerable<ModuleCase> CaffeScales() =>
        from c in new[]
        {
            (Axis: 1, Scale: new[] { 5 }, Shape: new[] { 3, 5 }), (1, [3], [2, 3, 2, 3]), (1, [3, 2], [2, 3, 2, 3]),
            (1, [3, 2, 3], [2, 3, 2, 3]), (2, [2], [2, 3, 2, 3]), (2, [5], [2, 3, 5]), (0, [2, 3, 5], [2, 3, 5]), (1, [], [2, 3, 5]),
        }
        from bias in new[] { true, false }
        select new ModuleCase(
            "CaffeScale",
            $"{Lengths(c.Shape)} by {(c.Scale.Length == 0 ? "scalar" : Lengths(c.Scale))} at {c.Axis}{(bias ? " bias" : "")}",
            new ModuleSettings { Shape = c.Scale, Axis = c.Axis, NumAxes = c.Scale.Length, Bias = bias },
            c.Shape);

    private static string Lengths(int[] shape) => string.Join('x', shape);
}
