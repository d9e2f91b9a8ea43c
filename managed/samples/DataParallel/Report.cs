using NormInterop.Samples.Digits;
using Spectre.Console;

namespace NormInterop.Samples.DataParallel;

/// <summary>What the demo writes to the screen, from top to bottom.</summary>
internal sealed class Report(IAnsiConsole console, Options options, int ranks)
{
    private const int SeedWidth = 8;
    private const int ColumnWidth = 18;

    public void Introduction(DigitSet train, string mpi)
    {
        console.WriteLine();
        console.Write(new Rule("[bold green]NormInterop[/]  data-parallel training").LeftJustified().RuleStyle("grey"));
        console.WriteLine();
        string perceptron = string.Join('-', Enumerable.Repeat(options.Hidden, options.Layers).Prepend(64).Append(DigitSet.Classes));
        string shards = ranks == 1
            ? $"{train.Count} images of digits"
            : $"its part of {train.Count} images of digits: rank r has the images r, r + {ranks}, r + {2 * ranks}, ... of the shuffled set";
        console.MarkupLine(
            $"{Count(ranks, "process", "processes")}, each with a copy of the perceptron {perceptron}, a BatchNorm after every hidden "
            + $"layer, and with {shards}. A step takes {Count(options.Images, "image", "images")} on each rank and averages all gradients "
            + "over the ranks.");
        console.WriteLine();
        console.MarkupLine(
            $"[grey]{Count(options.Steps, "step", "steps")} of gradient descent, learning rate {options.LearningRate}. "
            + "All trainings of a seed start with the same weights and see the same images.[/]");
        console.MarkupLine($"[grey]{Markup.Escape(mpi)}[/]");
        console.WriteLine();
        if (ranks > 1)
            return;

        console.MarkupLine("One process has nobody to synchronize with: both kinds of BatchNorm are the same here. Start four:");
        console.WriteLine();
        console.Profile.Out.Writer.WriteLine($"  {Launcher.Command(4)}");    // a command must not be broken into lines
        console.WriteLine();
    }

    public void AccuracyTitle(DigitSet test)
    {
        console.MarkupLine($"[bold]Accuracy on {test.Count} other images[/]");
        console.WriteLine();
        Row("seed", options.Statistics.Select(statistics => statistics.Name()));
        Row("", options.Statistics.Select(s => $"over {Count(options.Images * (s == Statistics.Sync ? ranks : 1), "image", "images")}"));
    }

    public void Accuracy(int seed, IReadOnlyList<TrainingResult> results) =>
        Row($"{seed}", results.Select(result => $"{result.Accuracy:P1}"));

    public void Means(IReadOnlyList<TrainingResult> results)
    {
        if (options.Seeds > 1)
            Row("mean", options.Statistics.Select(statistics => $"{Mean(results, statistics):P1}"));
        console.WriteLine();
        if (options.Statistics.Contains(Statistics.Local) && ranks > 1)
        {
            console.MarkupLine(
                "[grey]With local BatchNorm every rank has running buffers of its own. As usual in such training, those of rank 0 are "
                + "evaluated.[/]");
            console.WriteLine();
        }
    }

    /// <summary>What a step sends, and how long it takes.</summary>
    /// <param name="results">Those of all trainings.</param>
    public void Communication(IReadOnlyList<TrainingResult> results)
    {
        console.MarkupLine("[bold]What each rank sends in a step[/]");
        Table table = new Table().Border(TableBorder.Simple).BorderColor(Color.Grey);
        table.AddColumn("");
        table.AddColumn(new TableColumn("messages").RightAligned());
        table.AddColumn(new TableColumn("values").RightAligned());
        table.AddColumn(new TableColumn("bytes").RightAligned());
        if (results.FirstOrDefault(result => result.Statistics == Statistics.Sync) is { } sync)
        {
            string c = $"C = {options.Hidden}";
            AddTraffic(table, $"a SyncBatchNorm's forward, 2C + 1 values, {c}", sync.Traffic.Forward, options.Layers);
            AddTraffic(table, $"a SyncBatchNorm's backward, 2C values, {c}", sync.Traffic.Backward, options.Layers);
            AddTraffic(table, $"all SyncBatchNorm layers: {options.Layers}", sync.Traffic.Forward + sync.Traffic.Backward, 1);
        }

        if (results.FirstOrDefault(result => result.Statistics == Statistics.Local) is { } local)
            AddTraffic(table, $"all local BatchNorm layers: {options.Layers}", local.Traffic.Forward + local.Traffic.Backward, 1);
        AddTraffic(table, "the average of all gradients", results[0].Traffic.Gradients, 1);
        console.Write(table);
        console.MarkupLine(
            "[grey]Measured, by the groups' Traffic. Values of statistics are double, gradients float; 64 bytes of a message say what it "
            + "is. A sum of 64 KB or more takes three messages: then each rank adds up a part for all.[/]");
        console.WriteLine();
    }

    public void StepTimes(IReadOnlyList<TrainingResult> results)
    {
        IEnumerable<string> times = options.Statistics.Select(statistics =>
        {
            double[] seconds = [.. results.Where(r => r.Statistics == statistics).Select(r => r.StepTime.TotalSeconds).Order()];
            return $"{seconds[seconds.Length / 2]:F5} with {statistics.Name()}";
        });
        console.MarkupLine($"Seconds per step (median): {string.Join(", ", times)}.");
    }

    /// <summary>Whether the copies are still copies.</summary>
    /// <param name="results">Those of all trainings.</param>
    public void Agreements(IReadOnlyList<TrainingResult> results)
    {
        console.MarkupLine(
            $"Parameters identical on all ranks: {Answer(results.Select(result => result.Parameters))}, "
            + $"after {(results.Count == 1 ? "the training" : $"each of {results.Count} trainings")}.");
        foreach (Statistics statistics in options.Statistics)
        {
            IEnumerable<Agreement> buffers = results.Where(result => result.Statistics == statistics).Select(result => result.Buffers);
            string expected = statistics == Statistics.Local && ranks > 1 ? ", as expected" : "";
            console.MarkupLine($"Running buffers identical on all ranks, {statistics.Name()}: {Answer(buffers)}{expected}.");
        }
    }

    public void Verdict(bool passed, string message)
    {
        console.WriteLine();
        console.Write(new Rule().RuleStyle("grey"));
        console.MarkupLine(passed ? $"[green]{Markup.Escape(message)}[/]" : $"[red]{Markup.Escape(message)}[/]");
        console.WriteLine();
    }

    public static double Mean(IReadOnlyList<TrainingResult> results, Statistics statistics) =>
        results.Where(result => result.Statistics == statistics).Average(result => result.Accuracy);

    // Line by line, as the trainings end: a table would come when all are over.
    private void Row(string title, IEnumerable<string> cells) =>
        console.WriteLine($"  {title,-SeedWidth}{string.Concat(cells.Select(cell => $"{cell,ColumnWidth}"))}");

    private void AddTraffic(Table table, string what, CollectiveTraffic traffic, int layers)
    {
        double parts = (double)options.Steps * layers;
        table.AddRow(what, $"{traffic.Messages / parts:0.##}", $"{traffic.Values / parts:0.##}", $"{traffic.Bytes / parts:0.##}");
    }

    private static string Answer(IEnumerable<Agreement> agreements)
    {
        Agreement worst = agreements.MaxBy(agreement => agreement.Different);
        return worst.IsComplete ? $"yes ({worst.Count} floats)" : $"no ({worst.Different} of {worst.Count} floats differ)";
    }

    private static string Count(int number, string one, string more) => $"{number} {(number == 1 ? one : more)}";
}
