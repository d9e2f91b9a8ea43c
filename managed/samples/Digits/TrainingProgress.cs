using Spectre.Console;

namespace NormInterop.Samples.Digits;

/// <summary>Trains the networks side by side, epoch by epoch, and shows how far they are.</summary>
internal static class TrainingProgress
{
    public static void Run(IAnsiConsole console, IReadOnlyList<Trainer> trainers, int epochs)
    {
        if (console.Profile.Capabilities is { Interactive: true, Ansi: true } && console.Profile.Out.IsTerminal)
            RunWithBars(console, trainers, epochs);
        else
            RunWithLines(console, trainers, epochs);
    }

    private static void RunWithBars(IAnsiConsole console, IReadOnlyList<Trainer> trainers, int epochs)
    {
        ProgressColumn[] columns =
        [
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = 30, CompletedStyle = Report.Accent, FinishedStyle = Report.Accent },
            new PercentageColumn { CompletedStyle = Style.Plain },
        ];
        console.Progress().AutoRefresh(true).Columns(columns).Start(progress =>
        {
            List<(Trainer Trainer, ProgressTask Task)> rows = [];
            foreach (Trainer trainer in trainers)
                rows.Add((trainer, progress.AddTask(Describe(trainer, 0, epochs, null), maxValue: epochs * trainer.BatchesPerEpoch)));

            for (int i = 1; i <= epochs; i++)
            {
                foreach ((Trainer trainer, ProgressTask task) in rows)
                    task.Description = Describe(trainer, i, epochs, trainer.RunEpoch(() => task.Increment(1)));
            }
        });
    }

    private static void RunWithLines(IAnsiConsole console, IReadOnlyList<Trainer> trainers, int epochs)
    {
        for (int i = 1; i <= epochs; i++)
        {
            IEnumerable<string> losses = trainers.Select(trainer => $"{trainer.RunEpoch(() => { }).Loss,8:F4} {trainer.Title}");
            console.WriteLine($"  epoch {i,2} of {epochs}    loss {string.Join("  ", losses)}");
        }

        console.WriteLine();
    }

    private static string Describe(Trainer trainer, int done, int epochs, Epoch? epoch)
    {
        string loss = epoch is { } e ? $"{e.Loss:F4}" : "";
        return $"{trainer.Title,-16}   epoch {done,2} of {epochs}   loss {loss,7}";
    }
}
