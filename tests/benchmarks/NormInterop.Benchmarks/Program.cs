using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Validators;
using NormInterop;
using NormInterop.Benchmarks;

// Everything but --quick is for BenchmarkDotNet: --filter, --list, --exporters and so on.
bool quick = args.Contains("--quick");
string[] rest = [.. args.Where(a => a != "--quick")];
string[] selections = ["--filter", "-f", "--list", "--help", "--version", "--info", "--anyCategories", "--allCategories"];
if (!rest.Any(a => selections.Contains(a.Split('=')[0])))
    rest = ["--filter", "*", .. rest];

string isa = NormRuntime.ActiveIsa;
int threads = NormRuntime.ThreadLimit;
Console.WriteLine($"Native library: {isa} kernels, at most {threads} threads ({NormRuntime.BuildInfo})");

// A measurement is one invocation, of a millisecond at the least and mostly much more, so that BenchmarkDotNet needs no pilot runs.
// The job's name stands above each table, which thus says with which kernels and how many threads it came about.
Job job = Job.Default
    .WithId($"{isa}-{threads}-threads")
    .WithStrategy(RunStrategy.Monitoring)
    .WithInvocationCount(1)
    .WithUnrollFactor(1)
    .WithWarmupCount(3)
    .WithIterationCount(quick ? 5 : 9);

// The columns and reports that are read here, instead of all default ones; no advice to take longer measurements.
ManualConfig config = ManualConfig.CreateEmpty()
    .AddJob(job)
    .AddLogger(ConsoleLogger.Default)
    .AddValidator(JitOptimizationsValidator.FailOnError)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddExporter(MarkdownExporter.GitHub)
    .AddColumnProvider(
        DefaultColumnProviders.Descriptor, DefaultColumnProviders.Job, DefaultColumnProviders.Params, DefaultColumnProviders.Metrics)
    .AddColumn(
        StatisticColumn.Median, StatisticColumn.Min, StatisticColumn.Max, MedianRatioColumn.Ratio, MedianRatioColumn.SpeedUp)
    .AddLogicalGroupRules(BenchmarkLogicalGroupRule.ByParams)
    .HideColumns("InvocationCount", "UnrollFactor")
    .WithBuildTimeout(TimeSpan.FromMinutes(10));
if (quick)
{
    string[] shapes = ["32,512,28,28", "1,64,56,56", "8,64,4,4", "2,320,96,96", "8,64,128,128", "128,768"];
    config.AddFilter(new SimpleFilter(benchmark => shapes.Contains(benchmark.Parameters["Shape"])));
}

IEnumerable<Summary> summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest, config);
return summaries.Any(s => s.HasCriticalValidationErrors || s.Reports.Any(r => !r.Success)) ? 1 : 0;
