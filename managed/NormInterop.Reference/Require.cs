using System.Globalization;

namespace NormInterop.Reference;

/// <summary>Checks of arguments that run before anything is written, so that a refused call leaves every buffer as it was.</summary>
internal static class Require
{
    public static void Length(int actual, int expected, string name)
    {
        if (actual != expected)
            throw new ArgumentException($"Expected {name} to have {expected} elements, got {actual}.", name);
    }

    public static void LengthOrEmpty(int actual, int expected, string name)
    {
        if (actual != 0 && actual != expected)
            throw new ArgumentException($"Expected {name} to have {expected} elements or to be empty, got {actual}.", name);
    }

    public static void Shape(ChannelTensorShape shape)
    {
        // default(ChannelTensorShape) is the one value that its constructor has not seen.
        if (shape.Channels == 0)
            throw new ArgumentException("Expected at least 1 channel, got 0.", nameof(shape));
    }

    public static void Groups(int groups, int channels)
    {
        if (groups < 1 || channels % groups != 0)
            throw new ArgumentException($"Expected groups to be a divisor of {channels} channels, got {groups}.", nameof(groups));
    }

    /// <summary>The number of rows.</summary>
    public static int Rows(int elements, int length)
    {
        if (length < 1)
            throw new ArgumentException($"Expected rows of at least 1 element, got {length}.", nameof(length));
        if (elements % length != 0)
            throw new ArgumentException($"Expected whole rows of {length} elements, got {elements} elements.", nameof(elements));
        return elements / length;
    }

    public static void Epsilon(double eps)
    {
        if (!(eps >= 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(eps), string.Create(CultureInfo.InvariantCulture, $"Expected eps to be 0 or greater, got {eps}."));
        }
    }
}
