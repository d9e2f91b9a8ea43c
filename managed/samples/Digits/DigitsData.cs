using System.Globalization;
using System.IO.Compression;
using System.Numerics.Tensors;

namespace NormInterop.Samples.Digits;

/// <summary>Images of 8 x 8 pixels, 0 (paper) to 1 (ink), with the digit each one shows.</summary>
internal sealed class DigitSet(float[] pixels, byte[] labels)
{
    public const int Side = 8;
    public const int PixelsPerImage = Side * Side;
    public const int Classes = 10;

    public int Count => labels.Length;

    public ReadOnlySpan<byte> Labels => labels;

    public ReadOnlySpan<float> Image(int index) => pixels.AsSpan(index * PixelsPerImage, PixelsPerImage);

    /// <summary>All images, as a tensor of shape (Count, 64) over this set's own memory.</summary>
    public Tensor<float> AllImages() => Tensor.Create(pixels, [Count, PixelsPerImage]);

    /// <summary>The images and labels at the given positions, in that order.</summary>
    public DigitSet Select(ReadOnlySpan<int> indices)
    {
        float[] selectedPixels = new float[indices.Length * PixelsPerImage];
        byte[] selectedLabels = new byte[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            Image(indices[i]).CopyTo(selectedPixels.AsSpan(i * PixelsPerImage));
            selectedLabels[i] = labels[indices[i]];
        }

        return new DigitSet(selectedPixels, selectedLabels);
    }
}

/// <summary>Reads the data set that lies beside the program; data/ATTRIBUTION.md says where it comes from.</summary>
internal static class DigitsData
{
    public const int TestCount = 360;
    private const float Ink = 16;

    public static string FilePath => Path.Combine(AppContext.BaseDirectory, "data", "digits.csv.gz");

    /// <summary>Reads all images, shuffles them with the seed, and keeps the last 360 for the test.</summary>
    /// <exception cref="DemoException">The file is missing or is not what it should be.</exception>
    public static (DigitSet Train, DigitSet Test) Load(int seed)
    {
        DigitSet all = Read(FilePath);
        if (all.Count <= TestCount)
            throw new DemoException($"{FilePath} has {all.Count} images; more than {TestCount} are needed.");

        int[] order = [.. Enumerable.Range(0, all.Count)];
        Shuffle(order, new Random(seed));
        int trainCount = all.Count - TestCount;
        return (all.Select(order.AsSpan(0, trainCount)), all.Select(order.AsSpan(trainCount)));
    }

    /// <summary>Fisher and Yates' shuffle. Written out, so that no future Random.Shuffle can change the demo's numbers.</summary>
    public static void Shuffle(Span<int> items, Random random)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static DigitSet Read(string path)
    {
        List<float> pixels = [];
        List<byte> labels = [];
        try
        {
            using FileStream file = File.OpenRead(path);
            using GZipStream text = new(file, CompressionMode.Decompress);
            using StreamReader reader = new(text);
            while (reader.ReadLine() is { } line)
                ReadLine(line, pixels, labels);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DemoException($"The digits are missing: {path} does not exist. Building the sample copies it there.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException
                                    or InvalidDataException or FormatException or OverflowException)
        {
            throw new DemoException($"The digits cannot be read from {path}: {e.Message}");
        }

        return new DigitSet([.. pixels], [.. labels]);
    }

    private static void ReadLine(string line, List<float> pixels, List<byte> labels)
    {
        string[] fields = line.Split(',');
        if (fields.Length != DigitSet.PixelsPerImage + 1)
            throw new FormatException($"line {labels.Count + 1} has {fields.Length} fields instead of {DigitSet.PixelsPerImage + 1}.");

        foreach (string field in fields.AsSpan(0, DigitSet.PixelsPerImage))
            pixels.Add(byte.Parse(field, CultureInfo.InvariantCulture) / Ink);

        byte label = byte.Parse(fields[^1], CultureInfo.InvariantCulture);
        if (label > 9)
            throw new FormatException($"line {labels.Count + 1} is labelled {label}, which is no digit.");
        labels.Add(label);
    }
}
