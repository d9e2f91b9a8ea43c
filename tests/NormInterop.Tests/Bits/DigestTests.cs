using NormInterop.Tests.Runtime;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Bits;

/// <summary>The bits are those of expected.txt: on this CPU, with any instruction set, yesterday and tomorrow.</summary>
[TestClass]
[TestCategory(Category.Once)]
public sealed class DigestTests
{
    private static readonly string Header =
        $"""
        # Checksums of outputs, gradients and buffers (Digests.cs), the same for every instruction set, CPU and number of threads.
        # A change here means that results have changed in their last bits. Where that is on purpose, because the order of operations in a
        # kernel is another one, rebuild the native library, and then:
        # {Digests.RewriteVariable}=1 dotnet test tests/NormInterop.Tests -c Release --filter Name~Bits_
        # once to write, and once more, without the variable, for the instruction sets that were compared before it wrote.

        """.ReplaceLineEndings("\n");

    private static string File => Path.Combine(Repository.Root, "tests", "NormInterop.Tests", "Bits", "expected.txt");

    /// <summary>This process computes with its own instruction set, and a child process with each of the others.</summary>
    [TestMethod]
    [DataRow("scalar")]
    [DataRow("avx2")]
    [DataRow("avx512")]
    public void Bits_AreThoseThatWereCommitted(string isa)
    {
        if (isa == NormRuntime.ActiveIsa)
        {
            string[] actual = [.. Digests.Lines()];
            if (Environment.GetEnvironmentVariable(Digests.RewriteVariable) is "1")
                System.IO.File.WriteAllText(File, Header + string.Join('\n', actual) + "\n");
            AssertExpected(actual, isa);
            return;
        }

        (int exitCode, string[] lines) = Child.Run(Child.DigestsCommand, ("NORMINTEROP_ISA", isa));
        Assert.AreEqual(0, exitCode, string.Join('\n', lines));

        // A processor without it must say so, in the words of the library, and then there is nothing to compare.
        if (lines is [string refusal] && refusal.StartsWith(nameof(NormInteropException), StringComparison.Ordinal))
            Assert.Contains($"NORMINTEROP_ISA is \"{isa}\", which this CPU or operating system does not support", refusal);
        else
            AssertExpected(lines, isa);
    }

    private static void AssertExpected(string[] actual, string isa)
    {
        string[] expected = [.. System.IO.File.ReadAllLines(File).Where(line => !line.StartsWith('#') && line.Length > 0)];
        string[] different = [.. actual.Except(expected).Concat(expected.Except(actual)).Order(StringComparer.Ordinal)];
        Assert.IsEmpty(
            different,
            $"With {isa} bits differ from Bits/expected.txt, whose header says how to rewrite it where that is on purpose:\n"
                + $"{string.Join('\n', different)}\n");
        Assert.HasCount(expected.Length, actual);
    }
}
