using CppSharp;
using NormInterop.Bindings.Generator;

// Usage: dotnet run --project bindings/generator [repository root]
if (args.Length > 1)
{
    Console.Error.WriteLine("Usage: NormInterop.Bindings.Generator [repository root]");
    return 2;
}

try
{
    string root = args.Length == 1 ? Path.GetFullPath(args[0]) : FindRepositoryRoot();
    foreach (BoundLibrary bound in BoundLibrary.All)
    {
        var library = new NormInteropLibrary(root, bound);
        if (!ConsoleDriver.Run(library) || library.Summary is null)
        {
            Console.Error.WriteLine($"No bindings were written: CppSharp could not read the headers in {bound.Headers}.");
            return 1;
        }

        Console.WriteLine(library.Summary);
    }

    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
{
    Console.Error.WriteLine($"No bindings were written: {e.Message}");
    return 1;
}

static string FindRepositoryRoot()
{
    for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
    {
        if (Directory.Exists(Path.Combine(folder.FullName, HeaderHash.Directory)))
            return folder.FullName;
    }

    throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} has {HeaderHash.Directory}");
}
