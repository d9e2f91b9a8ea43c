using NormInterop.Samples.Digits;
using Spectre.Console;

const int Passed = 0;
const int Failed = 1;
const int BadArguments = 2;
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
    return Run(options, DemoConsole.Create());
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

    Trainer[] trainers = CreateTrainers(options, train, test);
    Trainer main = trainers[0];
    TrainingProgress.Run(console, trainers, options.Epochs);
    report.Accuracy(trainers);
    if (options.Normalization != Normalization.None)
        report.Timing(main, NormalizationTiming.Measure(main, options.BatchSize), options.BatchSize);

    Evaluation trained = Evaluation.Batched(main.Network, test);
    Network network = new(options.Normalization, options.Seed + 3);
    Evaluation fresh = Evaluation.Batched(network, test);
    using Checkpoint checkpoint = Checkpoint.Save(main.Network, options.SavePath);
    checkpoint.LoadInto(network);
    Evaluation reloaded = Evaluation.Batched(network, test);
    report.State(checkpoint, trained, fresh, reloaded);

    Evaluation single = Evaluation.OneByOne(network, test);
    bool buffers = options.Normalization == Normalization.Batch;
    report.SingleImages(
        options.Normalization, reloaded, single, buffers ? Evaluation.OneByOneWithInitialBuffers(network, test) : null);
    new Gallery(console, test, single).Draw();

    double? plainAccuracy = trainers.Length > 1 ? trainers[^1].Epochs[^1].Accuracy : null;
    string? failure = FindFailure(options, trained, reloaded, single, plainAccuracy);
    string name = options.Normalization.Name();
    string verdict = plainAccuracy is { } plain
        ? $"With {name} {single.Accuracy:P1}, without {plain:P1}."
        : $"Without normalization {single.Accuracy:P1}.";
    report.Verdict(failure is null, failure ?? verdict);
    return failure is null ? Passed : Failed;
}

// The run with the normalization in front, and the one without to compare with.
static Trainer[] CreateTrainers(Options options, DigitSet train, DigitSet test)
{
    // The same seeds for both: the same initial weights and the same order of the images.
    Trainer Create(string title, Normalization normalization) =>
        new(title, new Network(normalization, options.Seed + 1), train, test, options, options.Seed + 2);
    return options.Normalization == Normalization.None
        ? [Create("without normalization", Normalization.None)]
        : [Create($"with {options.Normalization.Name()}", options.Normalization), Create("without", Normalization.None)];
}

static string? FindFailure(Options options, Evaluation trained, Evaluation reloaded, Evaluation single, double? plainAccuracy)
{
    if (!trained.Predictions.SequenceEqual(reloaded.Predictions))
        return "Failed: the reloaded network must predict what the trained one does, but they differ.";
    if (!reloaded.Predictions.SequenceEqual(single.Predictions))
        return "Failed: in eval mode a prediction must not depend on the batch, but one by one they differ.";
    if (!options.HasDefaultTraining || plainAccuracy is not { } plain)
        return null;
    if (single.Accuracy < RequiredAccuracy)
        return $"Failed: {single.Accuracy:P1} with {options.Normalization.Name()}, and at least {RequiredAccuracy:P0} are expected.";
    return single.Accuracy > plain
        ? null
        : $"Failed: {single.Accuracy:P1} with {options.Normalization.Name()} is not above {plain:P1} without.";
}
