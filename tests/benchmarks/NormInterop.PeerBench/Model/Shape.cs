using System.Globalization;

namespace NormInterop.PeerBench.Model;

/// <summary>Lengths of a tensor: N, C and the spatial ones, or those before a row and that of the row.</summary>
internal sealed class Shape : IEquatable<Shape>
{
    /// <summary>What the peers' descriptor has room for.</summary>
    private const int MaxRank = 5;

    public Shape(params int[] lengths) => Lengths = lengths;

    public int[] Lengths { get; }

    public int Rank => Lengths.Length;

    public long Elements => Product(0, Rank);

    /// <summary>Product of the lengths from one dimension to before another.</summary>
    public long Product(int first, int end)
    {
        long product = 1;
        for (int i = first; i < end; i++)
            product = checked(product * Lengths[i]);
        return product;
    }

    /// <summary>Reads "32,64,112,112"; "x" does as well as a comma.</summary>
    /// <returns>The shape, or null with an error for the user.</returns>
    public static Shape? Parse(string text, out string error)
    {
        string[] parts = text.Split(',', 'x');
        error = $"expected 2 to {MaxRank} lengths such as 32,256,56,56 or 4096,768, got '{text}'";
        if (parts.Length is < 2 or > MaxRank)
            return null;
        int[] lengths = new int[parts.Length];
        long elements = 1;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out lengths[i]) || lengths[i] < 1)
                return null;
            if ((elements *= lengths[i]) > int.MaxValue)
            {
                error = $"'{text}' has more than {int.MaxValue} elements";
                return null;
            }
        }

        return new(lengths);
    }

    public override string ToString() => string.Join(',', Lengths.Select(length => length.ToString(CultureInfo.InvariantCulture)));

    public bool Equals(Shape? other) => other is not null && Lengths.AsSpan().SequenceEqual(other.Lengths);

    public override bool Equals(object? obj) => Equals(obj as Shape);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);
}
