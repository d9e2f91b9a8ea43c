using CppSharp;
using CppSharp.AST;
using CppSharp.Generators;
using CppSharp.Parser;

namespace NormInterop.Bindings.Generator;

/// <summary>Tells CppSharp what to read and where to write, and puts <see cref="LeanSources"/> in place of its stock output.</summary>
/// <param name="repositoryRoot">Root of the repository.</param>
internal sealed class NormInteropLibrary(string repositoryRoot) : ILibrary
{
    private const string OutputName = "NormInterop.g";
    private const string Umbrella = "norminterop.h";

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
        driver.Options.GenerateName = _ => OutputName;

        // As C++ the structs would have copy constructors, and a C library exports none.
        driver.ParserOptions.LanguageVersion = LanguageVersion.C99;

        // The name of the module is the name in DllImport.
        Module module = driver.Options.AddModule("norminterop");
        module.OutputNamespace = "NormInterop.Bindings";
        module.IncludeDirs.Add(Path.GetFullPath(Path.Combine(repositoryRoot, HeaderHash.Directory, "..")));

        // The umbrella alone: of several headers CppSharp parses each on its own, and reports the errors of the last one only.
        module.Headers.Add($"norminterop/{Umbrella}");
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
        outputs.RemoveAll(o => o.TranslationUnit.Module.LibraryName != "norminterop");

        var sources = new LeanSources(driver.Context, ParsedHeaders(driver.Context.ASTContext), HeaderHash.Compute(repositoryRoot));
        sources.Process();
        outputs.Single().Outputs = [sources];
        Summary = $"Wrote {Path.Combine(_outputDirectory, OutputName)}.{sources.FileExtension}: {sources.Counts}.";
    }

    // What is bound is what is hashed: all headers, in a fixed order, and none of the compiler's.
    private List<TranslationUnit> ParsedHeaders(ASTContext context)
    {
        var parsed = context.TranslationUnits.Where(u => u.IsValid).ToLookup(u => Path.GetFullPath(u.FilePath));
        var headers = HeaderHash.Files(repositoryRoot).Where(f => Path.GetFileName(f) != Umbrella).ToList();
        return headers.Find(f => !parsed.Contains(f)) is { } forgotten
            ? throw new NotSupportedException($"{forgotten} declares nothing, or {Umbrella} does not include it")
            : headers.ConvertAll(f => parsed[f].Single());
    }
}
