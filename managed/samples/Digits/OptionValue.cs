using System.Globalization;

namespace NormInterop.Samples.Digits;

/// <summary>Reads the values of options.</summary>
internal static class OptionValue
{
    /// <summary>A whole number in a range, both ends included.</summary>
    /// <exception cref="DemoException">The value is not a number in the range.</exception>
    public static int Integer(string name, string value, int minimum, int maximum)
    {
        bool valid = int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number);
        return valid && number >= minimum && number <= maximum
            ? number
            : throw new DemoException($"{name} must be a whole number from {minimum} to {maximum}, not '{value}'.");
    }

    /// <summary>A number above 0.</summary>
    /// <exception cref="DemoException">The value is not a number above 0.</exception>
    public static float Positive(string name, string value)
    {
        bool valid = float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number);
        return valid && number > 0 && float.IsFinite(number)
            ? number
            : throw new DemoException($"{name} must be a number above 0, not '{value}'.");
    }
}
