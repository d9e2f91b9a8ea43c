using System.Numerics;

namespace NormInterop.Tests.Support;

/// <summary>All that a module remembers between calls, copied.</summary>
internal sealed class ModuleState
{
    private readonly bool _training;
    private readonly long _batches;

    internal ModuleState(NormModule<float> module) => (_training, _batches, Parts) = Copy(module);

    private ModuleState((bool Training, long Batches, IReadOnlyList<(string Name, double[] Values)> Parts) copy) =>
        (_training, _batches, Parts) = copy;

    /// <summary>Parameters, their gradients and buffers, those that the module has, widened to double.</summary>
    internal IReadOnlyList<(string Name, double[] Values)> Parts { get; }

    /// <summary>A part by its name; empty where the module has none.</summary>
    internal double[] this[string name] => Parts.FirstOrDefault(part => part.Name == name).Values ?? [];

    internal static ModuleState Of<T>(NormModule<T> module)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(Copy(module));

    /// <summary>Fails where another state differs from this one in any bit.</summary>
    internal void AssertEqual(ModuleState actual, string when)
    {
        Assert.AreEqual(_batches, actual._batches, $"{when}: number of batches tracked");
        Assert.AreEqual(_training, actual._training, $"{when}: training mode");
        AssertSameNumbers(actual, when);
    }

    /// <summary>Fails where parameters, gradients or buffers differ; mode and counter may.</summary>
    internal void AssertSameNumbers(ModuleState actual, string when)
    {
        Assert.AreEqual(string.Join(", ", Parts.Select(p => p.Name)), string.Join(", ", actual.Parts.Select(p => p.Name)), when);
        foreach (((string name, double[] expected), (_, double[] values)) in Parts.Zip(actual.Parts))
            Expect.SameBits(expected, values, $"{when}: {name}");
    }

    private static (bool Training, long Batches, IReadOnlyList<(string Name, double[] Values)> Parts) Copy<T>(NormModule<T> module)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        List<(string, double[])> parts = [];
        Add("weight", module.Weight);
        Add("bias", module.Bias);
        parts.AddRange(ModuleTypes.Buffers(module).Select(buffer => (buffer.Name.Replace('_', ' '), Data.Flat(buffer.Values))));
        return (module.IsTraining, module is RunningNorm<T> norm ? norm.NumBatchesTracked : 0, parts);

        void Add(string name, Parameter<T>? parameter)
        {
            if (parameter is not null)
                parts.AddRange([(name, Data.Flat(parameter.Value)), ($"{name} gradient", Data.Flat(parameter.Gradient))]);
        }
    }
}
