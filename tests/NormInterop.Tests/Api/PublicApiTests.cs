using System.Reflection;
using System.Xml.Linq;
using NormInterop.Tests.Golden;

namespace NormInterop.Tests.Api;

/// <summary>Rules for the public surface that grow with it.</summary>
[TestClass]
public sealed class PublicApiTests
{
    private static readonly Assembly Library = typeof(NormModule<>).Assembly;

    /// <summary>The layers that a user can make.</summary>
    public static IEnumerable<string> LayerNames => Library.GetExportedTypes().Where(IsLayer).Select(type => type.Name.Split('`')[0]);

    [TestMethod]
    [DynamicData(nameof(LayerNames))]
    public void EveryLayer_HasGoldenVectors(string layer) => Assert.Contains(layer, GoldenTests.Cases.Select(c => (string)c[0]));

    /// <summary>As many documented members of a name as there are overloads of it, each with a text or an inherited one.</summary>
    [TestMethod]
    public void EveryPublicMember_IsDocumented()
    {
        string file = Path.ChangeExtension(Library.Location, ".xml");
        var documented = XDocument.Load(file).Descendants("member")
            .Where(member => member.Element("inheritdoc") is not null || member.Element("summary")?.Value.Trim() is { Length: > 0 })
            .Select(member => member.Attribute("name")!.Value)
            .ToLookup(Undecorated);
        string[] missing =
        [
            .. Library.GetExportedTypes().SelectMany(Names).CountBy(name => name)
                .Where(name => documented[name.Key].Count() < name.Value)
                .Select(name => $"{name.Key}: {name.Value} public, {documented[name.Key].Count()} documented"),
        ];
        Assert.IsEmpty(missing, string.Join('\n', missing));
    }

    [TestMethod]
    public void PublicTypes_AreInOneNamespace()
    {
        Assert.IsNotEmpty(Library.GetExportedTypes());
        foreach (Type type in Library.GetExportedTypes())
            Assert.AreEqual(nameof(NormInterop), type.Namespace, type.Name);
    }

    /// <summary>The bindings are the library's own business, though they travel in the same package.</summary>
    [TestMethod]
    public void Bindings_AreInternal() => Assert.IsEmpty(typeof(NormInterop.Bindings.NativeMethods).Assembly.GetExportedTypes());

    private static bool IsLayer(Type type)
    {
        for (Type? parent = type.BaseType; parent is not null && !type.IsAbstract; parent = parent.BaseType)
        {
            if (parent.IsGenericType && parent.GetGenericTypeDefinition() == typeof(NormModule<>))
                return true;
        }

        return false;
    }

    // A type and what it declares itself, as in the documentation file: without parameters, and without the number of type parameters.
    private static IEnumerable<string> Names(Type type)
    {
        const BindingFlags own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        yield return $"T:{type.FullName}";
        foreach (MemberInfo member in type.GetMembers(own))
        {
            char? kind = member switch
            {
                // The constructor that the compiler adds; one that is written needs a comment for the compiler already.
                ConstructorInfo constructor when constructor.GetParameters().Length == 0 && type.GetConstructors().Length == 1 => null,
                MethodInfo { IsSpecialName: true } => null,
                MethodBase => 'M',
                PropertyInfo => 'P',
                FieldInfo { IsSpecialName: false } => 'F',
                EventInfo => 'E',
                _ => null,
            };
            if (kind is not null)
                yield return $"{kind}:{type.FullName}.{member.Name.Replace('.', '#')}";
        }
    }

    private static string Undecorated(string id)
    {
        string name = id.Split('(')[0];
        int methodArity = name.IndexOf("``", StringComparison.Ordinal);
        return methodArity < 0 ? name : name[..methodArity];
    }
}
