namespace NormInterop.Tests.Support;

/// <summary>Categories of tests, by which build.sh and build.ps1 choose.</summary>
internal static class Category
{
    /// <summary>
    /// Tests that NORMINTEROP_ISA has no say in: they go through all instruction sets by themselves, or are about what goes between ranks.
    /// Runs with the variable leave them out.
    /// </summary>
    internal const string Once = "Once";
}
