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
        console.MarkupLine(
            $"A perceptron 64-128-128-10 learns to read {train.Count} images of 8 x 8 pixels and is tested on {test.Count} others. "
            + "It is trained twice, from the same weights and on the same batches: with BatchNorm1d after each hidden layer, and without.");
        console.WriteLine();

        string reason = options == new Options()
            ? ". The rate is high on purpose, so that the difference shows: at 0.3 the run without ends as high."
            : ".";
        console.MarkupLine(
            $"[grey]Gradient descent over {options.Epochs} epochs, batches of {options.BatchSize}, seed {options.Seed}, "
            + $"learning rate {options.LearningRate}{reason}[/]");
        console.WriteLine();
        Heading("Training");
        console.WriteLine();
    }

    public void Accuracy(Trainer normalized, Trainer plain)
    {
        Heading("Test accuracy after each epoch");
        Table table = NewTable();
        table.AddColumn(new TableColumn("[grey]epoch[/]").RightAligned());
        table.AddColumn(new TableColumn("with BatchNorm1d"));
        table.AddColumn(new TableColumn("without"));
        for (int i = 0; i < normalized.Epochs.Count; i++)
        {
            table.AddRow(
                $"[grey]{i + 1}[/]",
                AccuracyCell(normalized.Epochs[i].Accuracy, "green"),
                AccuracyCell(plain.Epochs[i].Accuracy, "grey"));
        }

        table.AddEmptyRow();
        table.AddRow($"[grey]first at {Goal:P0}[/]", FirstEpochAtGoal(normalized), FirstEpochAtGoal(plain));
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

    public void SingleImages(Evaluation batched, Evaluation single, Evaluation initialBuffers)
    {
        Heading("One image at a time, in eval mode");
        console.WriteLine();
        console.MarkupLine(
            "A single image has no batch statistics: BatchNorm1d normalizes it by the running mean and variance "
            + "that it gathered in training.");

        Table table = NewTable();
        table.AddColumn(new TableColumn($"{single.Predictions.Count} test images"));
        table.AddColumn(new TableColumn("correct").RightAligned());
        table.AddColumn(new TableColumn("accuracy").RightAligned());
        AddEvaluation(table, "all in one batch", batched);
        AddEvaluation(table, "one by one", single);
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
