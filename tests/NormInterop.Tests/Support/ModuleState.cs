using System.Numerics.Tensors;

namespace NormInterop.Tests.Support;

/// <summary>All that a module remembers between calls, copied.</summary>
internal sealed class ModuleState
{
    private readonly (string Name, float[] Values)[] _parts;
    private readonly long _batches;
    private readonly bool _training;

    internal ModuleState(BatchNorm<float> norm)
    {
        _batches = norm.NumBatchesTracked;
        _training = norm.IsTraining;
        _parts =
        [
            ("weight", Copy(norm.Weight?.Value)),
            ("weight gradient", Copy(norm.Weight?.Gradient)),
            ("bias", Copy(norm.Bias?.Value)),
            ("bias gradient", Copy(norm.Bias?.Gradient)),
            ("running mean", Copy(norm.RunningMean)),
            ("running var", Copy(norm.RunningVar)),
        ];
    }

    internal IEnumerable<(string Name, float[] Values)> Parts => _parts;

    /// <summary>Fails where another state differs from this one in any bit.</summary>
    internal void AssertEqual(ModuleState actual, string when)
    {
        Assert.AreEqual(_batches, actual._batches, $"{when}: number of batches tracked");
        Assert.AreEqual(_training, actual._training, $"{when}: training mode");
        for (int i = 0; i < _parts.Length; i++)
            Expect.SameBits(_parts[i].Values, actual._parts[i].Values, $"{when}: {_parts[i].Name}");
    }

    private static float[] Copy(Tensor<float>? tensor) => tensor is null ? [] : Tensors.Flat(tensor);
}
