using Spectre.Console;

namespace NormInterop.Samples.Digits;

/// <summary>Draws a few test images with what the network says to them.</summary>
internal sealed class Gallery(IAnsiConsole console, DigitSet test, Evaluation evaluation)
{
    private const int CellWidth = 18;
    private const int Gap = 2;

    // From paper to ink, for terminals with and without block characters.
    private const string Blocks = " \u2591\u2592\u2593\u2588";
    private const string Letters = " .+#@";

    /// <summary>The first images of the test set, the one that was read right with the most doubt, and one that was read wrong.</summary>
    public void Draw()
    {
        List<(int Index, string Title)> pictures = [(0, "test image 1"), (1, "test image 2"), (2, "test image 3")];
        if (Extreme(correct: true, largest: false) is { } doubtful)
            pictures.Add((doubtful, "least certain"));
        if (Extreme(correct: false, largest: true) is { } wrong)
            pictures.Add((wrong, "surest mistake"));

        int fitting = Math.Clamp((console.Profile.Width + Gap) / (CellWidth + Gap), 1, pictures.Count);
        Grid grid = new();
        for (int i = 0; i < fitting; i++)
            grid.AddColumn(new GridColumn { NoWrap = true, Width = CellWidth, Padding = new Padding(0, 0, i + 1 < fitting ? Gap : 0, 0) });
        grid.AddRow([.. pictures.Take(fitting).Select(picture => Describe(picture.Index, picture.Title))]);
        console.Write(grid);
    }

    private Markup Describe(int index, string title)
    {
        Prediction prediction = evaluation.Predictions[index];
        byte label = test.Labels[index];
        string color = prediction.Digit == label ? "green" : "red";
        // Cut off rather than rounded: no network is sure to 100.0 %.
        double probability = Math.Floor(prediction.Probability * 1000) / 1000;
        string verdict = $"[{color}]read as {prediction.Digit}[/]\nshows {label}\nprobability {probability:P1}";
        return new Markup($"[grey]{title}[/]\n{Picture(test.Image(index))}\n{verdict}");
    }

    private string Picture(ReadOnlySpan<float> image)
    {
        string shades = console.Profile.Capabilities.Unicode ? Blocks : Letters;
        List<string> rows = [];
        for (int y = 0; y < DigitSet.Side; y++)
        {
            string row = "";
            foreach (float ink in image.Slice(y * DigitSet.Side, DigitSet.Side))
                row += new string(shades[(int)Math.Round(ink * (shades.Length - 1))], 2);
            rows.Add(row);
        }

        return string.Join('\n', rows);
    }

    /// <summary>Of the images read right (or wrong), the one with the largest (or smallest) probability; null if there is none.</summary>
    private int? Extreme(bool correct, bool largest)
    {
        int? found = null;
        for (int i = 0; i < test.Count; i++)
        {
            if ((evaluation.Predictions[i].Digit == test.Labels[i]) != correct)
                continue;

            double probability = evaluation.Predictions[i].Probability;
            if (found is not { } best || probability > evaluation.Predictions[best].Probability == largest)
                found = i;
        }

        return found;
    }
}
