using Spectre.Console;

namespace NormInterop.Samples.Digits;

/// <summary>What the demo writes to the screen, from top to bottom.</summary>
internal sealed class Report(IAnsiConsole console)
{
    public const double Goal = 0.95;
    private const int WidestBar = 26;
    private const int AccuracyTableWidthWithoutBars = 41;

    public static Style Accent { get; } = new(Color.Green);

    public void Introduction(Options options, DigitSet train, DigitSet test)
    {
        console.WriteLine();
        console.Write(new Rule("[bold green]NormInterop[/]  handwritten digits").LeftJustified().RuleStyle("grey"));
        console.WriteLine();
        string runs = options.Normalization == Normalization.None
            ? "It is trained once, without normalization."
            : "It is trained twice, from the same weights and on the same batches: "
                + $"with {options.Normalization.Name()} after each hidden layer, and without.";
        console.MarkupLine(
            $"A perceptron 64-128-128-10 learns to read {train.Count} images of 8 x 8 pixels and is tested on {test.Count} others. {runs}");
        console.WriteLine();

        string reason = (options.HasDefaultTraining, options.Normalization) switch
        {
            (false, _) => ".",
            (true, Normalization.None) => ". The rate is that of the runs with a normalization: without one, 0.3 gets much further.",
            _ => ". The rate is high on purpose, so that the difference shows: at 0.3 the run without ends as high.",
        };
        console.MarkupLine(
            $"[grey]Gradient descent over {options.Epochs} epochs, batches of {options.BatchSize}, seed {options.Seed}, "
            + $"learning rate {options.LearningRate}{reason}[/]");
        console.WriteLine();
        Heading("Training");
        console.WriteLine();
    }

    /// <summary>A column for each run.</summary>
    /// <param name="trainers">The run with normalization in front, where there is one.</param>
    public void Accuracy(IReadOnlyList<Trainer> trainers)
    {
        Heading("Test accuracy after each epoch");
        Table table = NewTable();
        table.AddColumn(new TableColumn("[grey]epoch[/]").RightAligned());
        foreach (Trainer trainer in trainers)
            table.AddColumn(new TableColumn(trainer.Title));

        for (int i = 0; i < trainers[0].Epochs.Count; i++)
        {
            IEnumerable<string> cells = trainers.Select(
                trainer => AccuracyCell(trainer.Epochs[i].Accuracy, trainer == trainers[0] ? "green" : "grey"));
            table.AddRow([$"[grey]{i + 1}[/]", .. cells]);
        }

        table.AddEmptyRow();
        table.AddRow([$"[grey]first at {Goal:P0}[/]", .. trainers.Select(FirstEpochAtGoal)]);
        console.Write(table);
    }

    public void Timing(Trainer normalized, TimingResult timing, int batchSize)
    {
        Heading("Time inside normalization");
        console.WriteLine();
        TimeSpan first = normalized.Epochs[0].NormalizationTime;
        TimeSpan[] epochs = [.. normalized.Epochs.Select(epoch => epoch.NormalizationTime).Order()];
        console.MarkupLine(
            $"An epoch makes {timing.Calls} calls, half of them Forward and half Backward. In the training run above they took "
            + $"{Milliseconds(first)} in the first epoch, with just-in-time compilation, and {Milliseconds(epochs[epochs.Length / 2])} "
            + "in the median epoch. The same calls repeated afterwards, in turns with plain C#:");

        Table table = NewTable();
        table.AddColumn(new TableColumn($"{timing.Calls} calls on shape ({batchSize}, {Network.Hidden})"));
        table.AddColumn(new TableColumn("median").RightAligned());
        table.AddColumn(new TableColumn("speed").RightAligned());
        AddTime(table, "plain C#, the loops of NormInterop.Reference", timing.Reference, timing);
        AddTime(table, "NormInterop, tensors, as in the training", timing.NativeTensors, timing);
        AddTime(table, "NormInterop, spans over existing memory", timing.NativeSpans, timing);
        console.Write(table);
        console.MarkupLine($"[grey]Medians of {timing.Rounds} rounds. Kernels: {NormRuntime.ActiveIsa}.[/]");
        console.WriteLine();
    }

    /// <summary>That a network survives its file.</summary>
    /// <param name="checkpoint">The file in between.</param>
    /// <param name="trained">By the network that was trained.</param>
    /// <param name="fresh">By a new network.</param>
    /// <param name="reloaded">By the new network with the state from the file.</param>
    public void State(Checkpoint checkpoint, Evaluation trained, Evaluation fresh, Evaluation reloaded)
    {
        Heading("The trained state, saved and reloaded");
        console.WriteLine();
        string place = checkpoint.IsTemporary ? "a temporary file (--save keeps one)" : Markup.Escape(checkpoint.Path);
        console.MarkupLine(
            $"{checkpoint.Tensors.Count} tensors, {checkpoint.Tensors[0]} to {checkpoint.Tensors[^1]}, were written to {place}: "
            + $"{checkpoint.Length:N0} bytes in the safetensors format. A new network, with weights of its own, then read them.");

        Table table = NewEvaluationTable(trained);
        AddEvaluation(table, "the trained network", trained);
        AddEvaluation(table, "the new network, before it read the file", fresh);
        AddEvaluation(table, "the new network, after it read the file", reloaded);
        console.Write(table);
        int same = trained.Predictions.Zip(reloaded.Predictions).Count(pair => pair.First == pair.Second);
        console.MarkupLine(
            $"[grey]Digit and probability agree, to the last bit, for {same} of {trained.Predictions.Count} images.[/]");
        console.WriteLine();
    }

    /// <summary>That an image's result does not depend on the others in its batch.</summary>
    /// <param name="normalization">What normalizes the network.</param>
    /// <param name="batched">All images together.</param>
    /// <param name="single">One by one.</param>
    /// <param name="initialBuffers">One by one without what the running buffers learnt; null where there are none.</param>
    public void SingleImages(Normalization normalization, Evaluation batched, Evaluation single, Evaluation? initialBuffers)
    {
        Heading("One image at a time, in eval mode, by the reloaded network");
        console.WriteLine();
        console.MarkupLine(normalization switch
        {
            Normalization.Batch => "A single image has no batch statistics: BatchNorm1d normalizes it by the running mean and variance "
                + "that it gathered in training.",
            Normalization.Layer => $"LayerNorm takes mean and variance over the {Network.Hidden} features of each image, whatever else is "
                + "in the batch.",
            Normalization.Group => $"GroupNorm takes mean and variance over {NormalizationExtensions.Groups} groups of "
                + $"{Network.Hidden / NormalizationExtensions.Groups} features of each image, whatever else is in the batch.",
            _ => "Nothing in this network connects the images of a batch.",
        });

        Table table = NewEvaluationTable(single);
        AddEvaluation(table, "all in one batch", batched);
        AddEvaluation(table, "one by one", single);
        if (initialBuffers is not null)
            AddEvaluation(table, "one by one, buffers set back to mean 0, variance 1", initialBuffers);
        console.Write(table);
    }

    public void Verdict(bool passed, string message)
    {
        console.WriteLine();
        console.Write(new Rule().RuleStyle("grey"));
        console.MarkupLine(passed ? $"[green]{Markup.Escape(message)}[/]" : $"[red]{Markup.Escape(message)}[/]");
        console.WriteLine();
    }

    private void Heading(string text) => console.MarkupLine($"[bold]{text}[/]");

    private static Table NewTable() => new Table().Border(TableBorder.Simple).BorderColor(Color.Grey);

    private static Table NewEvaluationTable(Evaluation evaluation)
    {
        Table table = NewTable();
        table.AddColumn(new TableColumn($"{evaluation.Predictions.Count} test images"));
        table.AddColumn(new TableColumn("correct").RightAligned());
        table.AddColumn(new TableColumn("accuracy").RightAligned());
        return table;
    }

    private string AccuracyCell(double accuracy, string color)
    {
        int width = Math.Clamp((console.Profile.Width - AccuracyTableWidthWithoutBars) / 2, 1, WidestBar);
        string bar = Bar(accuracy, width, console.Profile.Capabilities.Unicode);
        return $"{accuracy,7:P1}  [{color}]{bar}[/]";
    }

    /// <summary>A bar from 0 to 100 %, drawn to an eighth of a column where the terminal has the characters.</summary>
    private static string Bar(double fraction, int width, bool unicode)
    {
        int eighths = (int)Math.Round(Math.Clamp(fraction, 0, 1) * width * 8);
        if (!unicode)
            return new string('=', eighths / 8).PadRight(width);

        string last = eighths % 8 == 0 ? "" : ((char)('\u2590' - (eighths % 8))).ToString();
        return (new string('\u2588', eighths / 8) + last).PadRight(width);
    }

    private static string FirstEpochAtGoal(Trainer trainer)
    {
        int epoch = trainer.Epochs.TakeWhile(e => e.Accuracy < Goal).Count() + 1;
        return epoch > trainer.Epochs.Count ? "not reached" : $"epoch {epoch}";
    }

    private static void AddTime(Table table, string name, TimeSpan time, TimingResult timing) =>
        table.AddRow(name, Milliseconds(time), $"{timing.Reference / time:F1} x");

    private static void AddEvaluation(Table table, string name, Evaluation evaluation) =>
        table.AddRow(name, $"{evaluation.Correct}", $"{evaluation.Accuracy:P1}");

    private static string Milliseconds(TimeSpan time) => $"{time.TotalMilliseconds:F2} ms";
}
