using System.Reflection;
using System.Runtime.CompilerServices;
using NormInterop.Bindings;

namespace NormInterop.Tests.Bindings;

/// <summary>The check of the library at load, and the facts it rests on.</summary>
[TestClass]
public sealed class AbiTests
{
    /// <summary>The fields of the library's report: a test per field grows with the header.</summary>
    public static IEnumerable<object[]> Fields => typeof(AbiInfo).GetFields().Select(f => new object[] { f.Name });

    /// <summary>The library of this build passes, and the path it was loaded from is known.</summary>
    [TestMethod]
    public void LibraryOfThisBuild_Fits()
    {
        Native.EnsureLoaded();
        Assert.AreNotEqual("", Native.LibraryPath);
    }

    /// <summary>Equal descriptions have no differences.</summary>
    [TestMethod]
    public void Differences_OfEqualDescriptions_AreNone() =>
        Assert.IsEmpty(AbiCheck.Differences(AbiCheck.Expected, AbiCheck.Expected));

    /// <summary>No field of the report is forgotten by the comparison.</summary>
    /// <param name="field">Name of the field that differs.</param>
    [TestMethod]
    [DynamicData(nameof(Fields))]
    public void Differences_OfOneField_NameIt(string field)
    {
        FieldInfo info = typeof(AbiInfo).GetField(field)!;
        object actual = AbiCheck.Expected;
        uint expected = (uint)info.GetValue(actual)!;
        Assert.AreNotEqual(0u, expected, "the bindings expect nothing of this field");
        info.SetValue(actual, expected + 1);

        IReadOnlyList<string> differences = AbiCheck.Differences(AbiCheck.Expected, (AbiInfo)actual);
        Assert.HasCount(1, differences);
        Assert.Contains(field, differences[0]);
        Assert.Contains($"{expected + 1}", differences[0]);
    }

    /// <summary>The message has what is needed to find the wrong file.</summary>
    [TestMethod]
    public void Mismatch_NamesLibraryVersionsAndDifferences()
    {
        string message = AbiCheck.Mismatch("/somewhere/else", 77, ["a difference"]).Message;
        foreach (string part in (string[])["/somewhere/else", "77", $"{AbiCheck.ExpectedAbiVersion}", "a difference"])
            Assert.Contains(part, message);
    }

    /// <summary>What is measured in the headers and what the library reports is the same list, so that nothing goes unchecked.</summary>
    [TestMethod]
    public void EverySizeAndCount_IsReportedByTheLibrary()
    {
        // Three fields have another source: the report's own size and version, and the width of a pointer.
        var reported = typeof(AbiInfo).GetFields().Select(f => f.Name)
            .Except([nameof(AbiInfo.StructSize), nameof(AbiInfo.AbiVersion), nameof(AbiInfo.PointerSize)]).Order();
        var measured = Measured().Keys.Except([nameof(Abi.AbiInfoSize)]).Order();
        Assert.AreEqual(string.Join(", ", measured), string.Join(", ", reported));
    }

    /// <summary>
    /// Structs hold no references, and the runtime lays them out in the size Clang has measured; enums are 32 bits wide and
    /// have as many different values as the headers.
    /// </summary>
    [TestMethod]
    public void GeneratedTypes_AreBlittableAndOfTheMeasuredSize()
    {
        var types = typeof(NativeMethods).Assembly.GetTypes()
            .Where(t => t.IsValueType && t.Namespace == typeof(NativeMethods).Namespace && !t.IsNested).ToList();
        Assert.HasCount(types.Count, Measured());
        foreach (Type type in types)
        {
            if (type.IsEnum)
            {
                Assert.AreEqual(typeof(int), Enum.GetUnderlyingType(type), type.Name);
                Assert.AreEqual(Measured()[$"{type.Name}Count"], (uint)Enum.GetValuesAsUnderlyingType(type).Cast<int>().Distinct().Count());
            }
            else
            {
                Assert.IsFalse(Generic(nameof(RuntimeHelpers.IsReferenceOrContainsReferences), typeof(RuntimeHelpers), type) is true);
                Assert.AreEqual((int)Measured()[$"{type.Name}Size"], Generic(nameof(Unsafe.SizeOf), typeof(Unsafe), type), type.Name);
            }
        }
    }

    private static object? Generic(string method, Type owner, Type argument) =>
        owner.GetMethod(method)!.MakeGenericMethod(argument).Invoke(null, null);

    private static Dictionary<string, uint> Measured() =>
        typeof(Abi).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(f => f.FieldType == typeof(uint))
            .ToDictionary(f => f.Name, f => (uint)f.GetRawConstantValue()!);
}
