using NormInterop.Tests.Support;

namespace NormInterop.Tests.Api;

/// <summary>The README's example is a program that is built with everything else.</summary>
[TestClass]
public sealed class ReadmeTests
{
    [TestMethod]
    public void Example_IsTheQuickstartSample()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string sample = File.ReadAllText(Path.Combine(Repository.Root, "managed", "samples", "Quickstart", "Program.cs"));
        Assert.Contains($"```csharp\n{sample.TrimEnd()}\n```\n", readme, "README.md shows managed/samples/Quickstart/Program.cs");
    }
}
