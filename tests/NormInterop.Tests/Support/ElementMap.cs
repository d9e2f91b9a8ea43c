namespace NormInterop.Tests.Support;

/// <summary>What the elements of an input, counted in row-major order, have to do with each other.</summary>
internal sealed class ElementMap
{
    private readonly Func<int, int> _set;
    private readonly Func<int, int> _parameter;

    /// <summary>The map of a layer that takes its statistics from an input of this shape.</summary>
    internal ElementMap(string layer, ModuleSettings settings, int[] shape)
    {
        bool unbatched = layer.StartsWith("InstanceNorm", StringComparison.Ordinal) && shape.Length == 1 + int.Parse(layer[^2..^1], null);
        int first = unbatched ? 0 : 1, plane = Tensors.Count(shape[Math.Min(first + 1, shape.Length)..]);
        int channels = first < shape.Length ? shape[first] : 1, row = Tensors.Count(settings.Shape);
        (_set, _parameter) = layer switch
        {
            "LayerNorm" or "RMSNorm" => (i => i / row, i => i % row),
            "GroupNorm" => (i => i / (plane * (channels / settings.Groups)), i => i / plane % channels),
            "CaffeScale" => Scale(settings, shape),
            _ when layer.StartsWith("InstanceNorm", StringComparison.Ordinal) => (i => i / plane, i => i / plane % channels),
            _ => ((Func<int, int>)(i => i / plane % channels), (Func<int, int>)(i => i / plane % channels)),
        };
    }

    /// <summary>Number of the set that an element is normalized with.</summary>
    internal int Set(int i) => _set(i);

    /// <summary>Index of the weight and bias that an element gets.</summary>
    internal int Parameter(int i) => _parameter(i);

    private static (Func<int, int> Set, Func<int, int> Parameter) Scale(ModuleSettings settings, int[] shape)
    {
        int axis = settings.Axis < 0 ? shape.Length + settings.Axis : settings.Axis;
        int inner = Tensors.Count(shape[(axis + settings.Shape.Length)..]), scales = Tensors.Count(settings.Shape);
        return (i => i, i => i / inner % scales);
    }
}
