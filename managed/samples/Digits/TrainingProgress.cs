using Spectre.Console;

namespace NormInterop.Samples.Digits;

/// <summary>Trains the two networks side by side, epoch by epoch, and shows how far they are.</summary>
internal static class TrainingProgress
{
    public static void Run(IAnsiConsole console, Trainer normalized, Trainer plain, int epochs)
    {
        if (console.Profile.Capabilities is { Interactive: true, Ansi: true } && console.Profile.Out.IsTerminal)
            RunWithBars(console, normalized, plain, epochs);
        else
            RunWithLines(console, normalized, plain, epochs);
    }

    private static void RunWithBars(IAnsiConsole console, Trainer normalized, Trainer plain, int epochs)
    {
        ProgressColumn[] columns =
        [
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = 30, CompletedStyle = Report.Accent, FinishedStyle = Report.Accent },
            new PercentageColumn { CompletedStyle = Style.Plain },
        ];
        console.Progress().AutoRefresh(true).Columns(columns).Start(progress =>
        {
            int steps = epochs * normalized.BatchesPerEpoch;
            ProgressTask normalizedTask = progress.AddTask(Describe("with BatchNorm1d", 0, epochs, null), maxValue: steps);
            ProgressTask plainTask = progress.AddTask(Describe("without", 0, epochs, null), maxValue: steps);
            for (int i = 1; i <= epochs; i++)
            {
                Epoch epoch = normalized.RunEpoch(() => normalizedTask.Increment(1));
                normalizedTask.Description = Describe("with BatchNorm1d", i, epochs, epoch);
                epoch = plain.RunEpoch(() => plainTask.Increment(1));
                plainTask.Description = Describe("without", i, epochs, epoch);
            }
        });
    }

    private static void RunWithLines(IAnsiConsole console, Trainer normalized, Trainer plain, int epochs)
    {
        for (int i = 1; i <= epochs; i++)
        {
            Epoch with = normalized.RunEpoch(() => { });
            Epoch without = plain.RunEpoch(() => { });
            console.WriteLine($"  epoch {i,2} of {epochs}    loss {with.Loss,7:F4} with BatchNorm1d  {without.Loss,8:F4} without");
        }

        console.WriteLine();
    }

    private static string Describe(string name, int done, int epochs, Epoch? epoch)
    {
        string loss = epoch is { } e ? $"{e.Loss:F4}" : "";
        return $"{name,-16}   epoch {done,2} of {epochs}   loss {loss,7}";
    }
}
