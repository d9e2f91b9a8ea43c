using System.Text;
using NormInterop.Samples.Digits;
using Spectre.Console;

const int Passed = 0;
const int Failed = 1;
const int BadArguments = 2;
const int MaximalWidth = 100;
const double RequiredAccuracy = 0.96;

Options options;
try
{
    options = Options.Parse(args);
}
catch (DemoException e)
{
    Console.Error.WriteLine($"{e.Message} Try --help.");
    return BadArguments;
}

if (options.Help)
{
    Console.WriteLine(Options.Usage);
    return Passed;
}

try
{
    return Run(options, CreateConsole());
}
catch (Exception e) when (IsForTheUser(e.GetBaseException()))
{
    Console.Error.WriteLine(e.GetBaseException().Message);
    return Failed;
}

// Data or native library missing, damaged or of another version: the message says what to do, a stack trace would not.
static bool IsForTheUser(Exception e) =>
    e is DemoException or NormInterop.NormInteropException
        or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException;

static int Run(Options options, IAnsiConsole console)
{
    (DigitSet train, DigitSet test) = DigitsData.Load(options.Seed);
    Report report = new(console);
    report.Introduction(options, train, test);

    // The same seeds for both: the same initial weights and the same order of the images.
    int weightSeed = options.Seed + 1;
    int orderSeed = options.Seed + 2;
    Trainer normalized = new(new Network(normalized: true, weightSeed), train, test, options, orderSeed);
    Trainer plain = new(new Network(normalized: false, weightSeed), train, test, options, orderSeed);
    TrainingProgress.Run(console, normalized, plain, options.Epochs);
    report.Accuracy(normalized, plain);

    int layers = normalized.Network.Normalizations.Count();
    report.Timing(normalized, NormalizationTiming.Measure(normalized.BatchesPerEpoch, layers, options.BatchSize), options.BatchSize);

    Evaluation batched = Evaluation.Batched(normalized.Network, test);
    Evaluation single = Evaluation.OneByOne(normalized.Network, test);
    report.SingleImages(batched, single, Evaluation.OneByOneWithInitialBuffers(normalized.Network, test));
    new Gallery(console, test, single).Draw();

    string? failure = FindFailure(batched, single, plain.Epochs[^1].Accuracy);
    report.Verdict(failure is null, failure ?? $"With BatchNorm1d {single.Accuracy:P1}, without {plain.Epochs[^1].Accuracy:P1}.");
    return failure is null ? Passed : Failed;
}

static string? FindFailure(Evaluation batched, Evaluation single, double plainAccuracy)
{
    if (!batched.Predictions.SequenceEqual(single.Predictions))
        return "Failed: in eval mode a prediction must not depend on the batch, but one by one they differ.";
    if (single.Accuracy < RequiredAccuracy)
        return $"Failed: {single.Accuracy:P1} with BatchNorm1d, and at least {RequiredAccuracy:P0} are expected.";
    return single.Accuracy > plainAccuracy
        ? null
        : $"Failed: {single.Accuracy:P1} with BatchNorm1d is not above {plainAccuracy:P1} without.";
}

static IAnsiConsole CreateConsole()
{
    try
    {
        // For the block characters; Windows consoles start in a code page that lacks them.
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
    }
    catch (IOException)
    {
        // A console that keeps its encoding gets plain characters.
    }

    // A file or a pipe gets text alone. Spectre.Console judges by the terminal's name, which a pipe inherits.
    bool redirected = Console.IsOutputRedirected;
    IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect });
    int width = console.Profile.Out.IsTerminal ? console.Profile.Width : MaximalWidth;
    console.Profile.Width = Math.Min(width, MaximalWidth);
    return console;
}
