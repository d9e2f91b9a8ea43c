using NormInterop;
using NormInterop.Samples.DataParallel;
using NormInterop.Samples.Digits;

const int Passed = 0;
const int Failed = 1;
const int BadArguments = 2;

Launcher.MakeConsolePlain();
Options options;
try
{
    options = Options.Parse(args);
}
catch (DemoException e)
{
    Launcher.SayOnce($"{e.Message} Try --help.");
    return BadArguments;
}

if (options.Help)
{
    if (Launcher.IsFirst)
        Console.WriteLine(Options.Usage);
    return Passed;
}

try
{
    // The groups are left on every way out: an operation of other ranks that this one will not come to then fails at once.
    using MpiCollective world = MpiCollective.World(TimeSpan.FromSeconds(60));
    using Training training = new(options, world);
    return Run(options, world, training);
}
catch (Exception e) when (e.GetBaseException() is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
{
    // Native libraries missing or of another version.
    Launcher.SayOnce(e.GetBaseException().Message);
    return Failed;
}
catch (Exception e) when (e.GetBaseException() is DemoException or CollectiveException or NormInteropException)
{
    // What goes wrong in a group may be another thing on every rank.
    Console.Error.WriteLine(Launcher.Label + e.GetBaseException().Message);
    return Failed;
}

static int Run(Options options, MpiCollective world, Training training)
{
    (DigitSet train, DigitSet test) = DigitsData.Load(options.Seed);
    Report? report = world.Rank == 0 ? new(DemoConsole.Create(plain: Launcher.IsThere), options, world.WorldSize) : null;
    int fewest = train.Count / world.WorldSize;
    if (fewest < options.Images)
    {
        if (report is not null)
            Console.Error.WriteLine($"--images {options.Images} is too many: of {world.WorldSize} ranks, one has {fewest}. Try --help.");
        return BadArguments;
    }

    report?.Introduction(train, MpiCollective.LibraryVersion.Split('\n')[0]);
    report?.AccuracyTitle(test);
    List<TrainingResult> results = [];
    for (int seed = options.Seed; seed < options.Seed + options.Seeds; seed++)
    {
        (train, test) = DigitsData.Load(seed);
        TrainingResult[] ofSeed = [.. options.Statistics.Select(statistics => training.Run(statistics, train, test, seed))];
        report?.Accuracy(seed, ofSeed);
        results.AddRange(ofSeed);
    }

    report?.Means(results);
    if (world.WorldSize > 1)
        report?.Communication(results);
    report?.StepTimes(results);
    if (world.WorldSize > 1)
        report?.Agreements(results);

    string? failure = FindFailure(options, world.WorldSize, results);
    report?.Verdict(failure is null, failure ?? Verdict(options, results));
    return failure is null ? Passed : Failed;
}

static string Verdict(Options options, List<TrainingResult> results) =>
    string.Join(", ", options.Statistics.Select(statistics => $"{Report.Mean(results, statistics):P1} with {statistics.Name()}")) + ".";

static string? FindFailure(Options options, int ranks, List<TrainingResult> results)
{
    if (results.Exists(result => !result.Parameters.IsComplete))
        return "Failed: all ranks must end with the same parameters, but they differ.";
    if (results.Exists(result => result.Statistics == Statistics.Sync && !result.Buffers.IsComplete))
        return "Failed: with SyncBatchNorm all ranks must end with the same running buffers, but they differ.";
    if (results.Exists(result => !IsExpected(options, ranks, result)))
        return "Failed: a SyncBatchNorm must send 2C + 1 values in a forward and 2C in a backward, in one message each.";
    if (!options.IsDemo || options.Statistics.Count < 2 || ranks < 2)
        return null;
    (double sync, double local) = (Report.Mean(results, Statistics.Sync), Report.Mean(results, Statistics.Local));
    return sync > local ? null : $"Failed: {sync:P1} with SyncBatchNorm is not above {local:P1} without.";
}

static bool IsExpected(Options options, int ranks, TrainingResult result)
{
    long calls = result.Statistics == Statistics.Sync && ranks > 1 ? (long)options.Steps * options.Layers : 0;
    (CollectiveTraffic forward, CollectiveTraffic backward, _) = result.Traffic;
    return (forward.Messages, forward.Values) == (calls, calls * ((2 * options.Hidden) + 1))
        && (backward.Messages, backward.Values) == (calls, calls * 2 * options.Hidden);
}
