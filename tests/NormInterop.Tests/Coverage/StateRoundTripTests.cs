using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Coverage;

/// <summary>The state of every layer goes into another module of its kind and makes it the same, directly and through a file.</summary>
[TestClass]
public sealed class StateRoundTripTests
{
    private static readonly string[] Ways = ["dict", "file read", "file opened"];

    public static IEnumerable<object[]> Cases =>
        from c in ModuleCase.All
        from type in new[] { "float", "double" }
        from way in Ways
        select new object[] { c.Layer, c.Name, type, way };

    /// <summary>The module types that the cases save and load.</summary>
    internal static IEnumerable<Type> Covered => Cases.Select(c => ModuleTypes.ByName[(string)c[0]]).Distinct();

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void LoadedModule_GivesTheSameBits(string layer, string name, string type, string way)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        if (type is "float")
            Run<float>(c, way);
        else
            Run<double>(c, way);
    }

    private static void Run<T>(ModuleCase c, string way)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Two modules with different states, and different histories.
        NormModule<T> source = ModuleTypes.Make<T>(c.Layer, c.Settings), target = ModuleTypes.Make<T>(c.Layer, c.Settings);
        ModuleTypes.Vary(source, seed: 1);
        ModuleTypes.Vary(target, seed: 2);
        source.Forward(Input<T>(c, seed: 1));
        string saved = Describe(source);
        Assert.AreEqual(saved.Length > 0, saved != Describe(target), "the test's two modules are not different");

        Transfer(source, target, way);

        Assert.AreEqual(saved, Describe(target), "state of the loaded module");
        foreach (bool training in new[] { false, true, false })
        {
            source.Train(training);
            target.Train(training);
            Tensor<T> x = Input<T>(c, seed: 2), dy = Input<T>(c, seed: 3);
            Close.Within(0, Data.Flat(source.Forward(x)), Data.Flat(target.Forward(x)), $"y, training {training}");
            Close.Within(0, Data.Flat(source.Backward(dy)), Data.Flat(target.Backward(dy)), $"dx, training {training}");
        }

        Assert.AreEqual(Describe(source), Describe(target), "state after a training step of both");
    }

    private static void Transfer<T>(NormModule<T> source, NormModule<T> target, string way)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Prefix = "features.0.";
        using StateDict state = source.StateDict(Prefix);
        if (way is "dict")
        {
            target.LoadStateDict(state, Prefix);
            return;
        }

        string path = Path.Combine(Path.GetTempPath(), $"norminterop-{Guid.NewGuid():N}.safetensors");
        try
        {
            state.Save(path);
            using StateDict read = way is "file read" ? StateDict.Load(path) : StateDict.Open(path);
            target.LoadStateDict(read, Prefix);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Tensor<T> Input<T>(ModuleCase c, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Data.Make<T>(Data.Doubles(Values.Of(seed, Tensors.Count(c.Shape))), c.Shape);

    // All of the state as text, to the bit.
    private static string Describe<T>(NormModule<T> module)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        string.Join('\n', module.StateDict().Select(entry => $"{entry.Key} {Convert.ToHexString(entry.Value.ToBytes())}"));
}
