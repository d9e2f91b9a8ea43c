using CppSharp;
using CppSharp.AST;
using CppSharp.Generators;
using CppSharp.Parser;

namespace NormInterop.Bindings.Generator;

/// <summary>A native library: its headers, and where their bindings go.</summary>
/// <param name="Name">Its name in DllImport, and that of the header which includes the others.</param>
/// <param name="Headers">Folder of the headers, relative to the root of the repository.</param>
/// <param name="Namespace">Namespace of the bindings.</param>
/// <param name="Output">Name of the file they are in, without the last ending.</param>
internal sealed record BoundLibrary(string Name, string Headers, string Namespace, string Output)
{
    /// <summary>All of them.</summary>
    internal static IReadOnlyList<BoundLibrary> All { get; } =
    [
        new("norminterop", HeaderHash.Directory, "NormInterop.Bindings", "NormInterop.g"),
        new("norminterop_mpi", HeaderHash.MpiDirectory, "NormInterop.Bindings.Mpi", "NormInterop.Mpi.g"),
    ];

    /// <summary>The header that includes the others, and declares nothing itself.</summary>
    internal string Umbrella => $"{Name}.h";
}

/// <summary>Tells CppSharp what to read and where to write, and puts <see cref="LeanSources"/> in place of its stock output.</summary>
/// <param name="repositoryRoot">Root of the repository.</param>
/// <param name="library">What to bind.</param>
internal sealed class NormInteropLibrary(string repositoryRoot, BoundLibrary library) : ILibrary
{
    private readonly string _outputDirectory = Path.Combine(repositoryRoot, "bindings", "generated");

    /// <summary>What was written, as a line for the user; null until then.</summary>
    internal string? Summary { get; private set; }

    /// <inheritdoc/>
    public void Setup(Driver driver)
    {
        driver.Options.GeneratorKind = GeneratorKind.CSharp;
        driver.Options.Quiet = true;
        driver.Options.OutputDir = _outputDirectory;
        driver.Options.OutputNewLineType = NewLineType.LF;
        driver.Options.GenerateName = _ => library.Output;

        // As C++ the structs would have copy constructors, and a C library exports none.
        driver.ParserOptions.LanguageVersion = LanguageVersion.C99;

        // The name of the module is the name in DllImport.
        Module module = driver.Options.AddModule(library.Name);
        module.OutputNamespace = library.Namespace;
        module.IncludeDirs.Add(Path.GetFullPath(Path.Combine(repositoryRoot, library.Headers, "..")));

        // The umbrella alone: of several headers CppSharp parses each on its own, and reports the errors of the last one only.
        module.Headers.Add($"{Path.GetFileName(library.Headers)}/{library.Umbrella}");
    }

    /// <inheritdoc/>
    public void SetupPasses(Driver driver)
    {
    }

    /// <summary>
    /// Drops the stock passes. They rename and reshape C++ for class libraries; LeanSources writes what Clang has parsed.
    /// </summary>
    public void Preprocess(Driver driver, ASTContext ctx) => driver.Context.TranslationUnitPasses.Passes.Clear();

    /// <inheritdoc/>
    public void Postprocess(Driver driver, ASTContext ctx)
    {
    }

    /// <inheritdoc/>
    public void GenerateCode(Driver driver, List<GeneratorOutput> outputs)
    {
        // The other module is CppSharp's own, for std:: types.
        outputs.RemoveAll(o => o.TranslationUnit.Module.LibraryName != library.Name);

        var sources = new LeanSources(
            driver.Context, ParsedHeaders(driver.Context.ASTContext), HeaderHash.Compute(repositoryRoot, library.Headers),
            library.Headers);
        sources.Process();
        outputs.Single().Outputs = [sources];
        Summary = $"Wrote {Path.Combine(_outputDirectory, library.Output)}.{sources.FileExtension}: {sources.Counts}.";
    }

    // What is bound is what is hashed: all headers, in a fixed order, and none of the compiler's.
    private List<TranslationUnit> ParsedHeaders(ASTContext context)
    {
        var parsed = context.TranslationUnits.Where(u => u.IsValid).ToLookup(u => Path.GetFullPath(u.FilePath));
        var headers = HeaderHash.Files(repositoryRoot, library.Headers).Where(f => Path.GetFileName(f) != library.Umbrella).ToList();
        return headers.Find(f => !parsed.Contains(f)) is { } forgotten
            ? throw new NotSupportedException($"{forgotten} declares nothing, or {library.Umbrella} does not include it")
            : headers.ConvertAll(f => parsed[f].Single());
    }
}
