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

    public static void Epsilon(double eps)
    {
        if (!(eps >= 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(eps), string.Create(CultureInfo.InvariantCulture, $"Expected eps to be 0 or greater, got {eps}."));
        }
    }
}
