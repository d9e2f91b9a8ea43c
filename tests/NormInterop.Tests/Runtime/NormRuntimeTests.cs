namespace NormInterop.Tests.Runtime;

/// <summary>What the process can ask of the native library, and set in it.</summary>
[TestClass]
public sealed class NormRuntimeTests
{
    private static readonly string[] Known = ["scalar", "avx2", "avx512"];

    [TestMethod]
    public void ActiveIsa_IsTheOneThatWasAskedFor()
    {
        Assert.Contains(NormRuntime.ActiveIsa, Known);
        string? asked = Environment.GetEnvironmentVariable("NORMINTEROP_ISA");
        if (!string.IsNullOrEmpty(asked))
            Assert.AreEqual(asked, NormRuntime.ActiveIsa);
    }

    [TestMethod]
    public void BuildInfo_NamesTheLibraryAndItsKernels()
    {
        Assert.StartsWith("NormInterop ", NormRuntime.BuildInfo);
        Assert.Contains(NormRuntime.ActiveIsa, NormRuntime.BuildInfo);
    }

    [TestMethod]
    public void ThreadLimit_CanBeSetAndReset()
    {
        int before = NormRuntime.ThreadLimit;
        Assert.IsGreaterThan(0, before);
        try
        {
            foreach (int limit in new[] { 1, 3, 1024 })
            {
                NormRuntime.ThreadLimit = limit;
                Assert.AreEqual(limit, NormRuntime.ThreadLimit);
            }
        }
        finally
        {
            NormRuntime.ThreadLimit = 0;
        }

        Assert.AreEqual(before, NormRuntime.ThreadLimit);
    }

    [TestMethod]
    public void ThreadLimit_StartsWithOmpNumThreads()
    {
        (int exitCode, string[] lines) = Child.Run(Child.RuntimeCommand, ("OMP_NUM_THREADS", "3"), ("NORMINTEROP_ISA", null));
        Assert.AreEqual(0, exitCode, string.Join('\n', lines));
        Assert.Contains("limit 3", lines);
        Assert.Contains("forward y 1.000, counter 1, running mean 0.2", lines);
    }

    /// <summary>Unknown, almost right, too long for any buffer: an exception that names it, from every call, and no crash.</summary>
    [TestMethod]
    [DataRow("quantum")]
    [DataRow("AVX2")]
    [DataRow("avx2 ")]
    [DataRow("avx")]
    [DataRow("%s%s%n")]
    [DataRow("a name that is longer than the room that the library has for it, and that it must cut off where its room ends")]
    public void UnknownIsa_IsAnExceptionAndNoCrash(string isa)
    {
        (int exitCode, string[] lines) = Child.Run(Child.RuntimeCommand, ("NORMINTEROP_ISA", isa));
        Assert.AreEqual(0, exitCode, string.Join('\n', lines));
        Assert.Contains("forward refused, counter 0, running mean 0.0", lines);
        string named = isa[..Math.Min(isa.Length, 64)];
        Assert.Contains($"NORMINTEROP_ISA is \"{named}\", which this build does not know; expected one of: scalar", lines[^1]);
        Assert.StartsWith($"{nameof(NormInteropException)} 6:", lines[^1]);
    }

    /// <summary>A variable without content counts as not set: the best set of this CPU.</summary>
    [TestMethod]
    public void EmptyIsa_IsNoChoice()
    {
        string Isa(string? value) => Child.Run(Child.RuntimeCommand, ("NORMINTEROP_ISA", value)).Lines[^1];
        Assert.AreEqual(Isa(null), Isa(""));
        Assert.Contains(Isa(null)["isa ".Length..], Known);
    }
}
