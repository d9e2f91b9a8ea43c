namespace NormInterop.Tests.Support;

/// <summary>The source tree that these tests were built from.</summary>
internal static class Repository
{
    private static readonly Lazy<string> Found = new(Find);

    internal static string Root => Found.Value;

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "NormInterop.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"NormInterop.sln is neither in {AppContext.BaseDirectory} nor in a folder above it.");
    }
}
