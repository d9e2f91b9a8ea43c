using NormInterop.Tests.Golden;
using NormInterop.Tests.Gradients;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Coverage;

/// <summary>Every public module type has golden vectors, a gradient check, error tests and a state round trip.</summary>
/// <remarks>
/// The claims are the data sources of the tests that do the work, so that a type cannot be claimed without being run.
/// </remarks>
[TestClass]
public sealed class ModuleCoverageTests
{
    /// <summary>What must be shown of every public module type.</summary>
    public enum Aspect
    {
        Golden,
        Gradient,
        Errors,
        StateRoundTrip,
    }

    private static IReadOnlyList<Type> Public { get; } =
        [.. typeof(NormModule<>).Assembly.GetExportedTypes().Where(type => !type.IsAbstract && IsModule(type))];

    public static IEnumerable<object[]> Cases =>
        from type in Public
        from aspect in Enum.GetValues<Aspect>()
        select new object[] { type.Name.Split('`')[0], aspect };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void EveryPublicModuleType_HasEveryKindOfTest(string name, Aspect aspect)
    {
        Type type = Public.Single(candidate => candidate.Name.Split('`')[0] == name);
        IEnumerable<Type> covered = aspect switch
        {
            Aspect.Golden => GoldenTests.Covered,
            Aspect.Gradient => GradientTests.Covered,
            Aspect.Errors => RefusalTests.Covered,
            _ => StateRoundTripTests.Covered,
        };
        Assert.Contains(type, covered, $"{name} lacks: {aspect}");
    }

    /// <summary>Tests find modules by name, and skip no type.</summary>
    [TestMethod]
    public void NamesOfTests_AreThePublicModuleTypes()
    {
        Assert.IsGreaterThan(10, Public.Count);
        CollectionAssert.AreEquivalent(Public.ToArray(), ModuleTypes.ByName.Values.ToArray(), "Support/ModuleTypes.cs");
        foreach ((string name, Type type) in ModuleTypes.ByName)
        {
            Assert.AreEqual(type.Name.Split('`')[0], name);
            Assert.IsInstanceOfType(
                ModuleTypes.Make<float>(name, ModuleCase.All.First(c => c.Layer == name).Settings), type.MakeGenericType(typeof(float)));
        }
    }

    private static bool IsModule(Type type)
    {
        for (Type? parent = type.BaseType; parent is not null; parent = parent.BaseType)
        {
            if (parent.IsGenericType && parent.GetGenericTypeDefinition() == typeof(NormModule<>))
                return true;
        }

        return false;
    }
}
