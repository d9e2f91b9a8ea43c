using System.Runtime.InteropServices;

namespace NormInterop.Tests.Support;

/// <summary>Comparisons of many numbers, with a message that tells how far off and where.</summary>
internal static class Expect
{
    /// <summary>
    /// Normalized values: 2e-6 absolute, and, where they or the terms that they are the sum of (<paramref name="scale"/>) grow so large
    /// that a float is coarser than that, four of its half steps: scale, center, product and sum are each rounded once.
    /// </summary>
    internal static void Output(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, string name, double scale = 0) =>
        Each(expected, actual, name, e => Math.Max(2e-6, 2.4e-7 * Math.Max(scale, Math.Abs(e))));

    /// <summary>Gradients: 1e-5 of the largest one, because they are differences of sums of that size.</summary>
    internal static void Gradient(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, string name, double scale = 0)
    {
        foreach (double value in expected)
            scale = Math.Max(scale, Math.Abs(value));
        Each(expected, actual, name, _ => (1e-5 * scale) + 1e-30);
    }

    /// <summary>Running buffers: 1e-6 relative; <paramref name="spread"/> is the size of what a mean near 0 is the difference of.</summary>
    internal static void Buffer(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, string name, double spread = 0.1) =>
        Each(expected, actual, name, e => 1e-6 * Math.Max(spread, Math.Abs(e)));

    /// <summary>Equal to the bit, NaNs included.</summary>
    internal static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string name)
    {
        Assert.AreEqual(expected.Length, actual.Length, $"{name}: number of elements");
        if (MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)))
            return;
        int i = 0;
        while (BitConverter.SingleToUInt32Bits(expected[i]) == BitConverter.SingleToUInt32Bits(actual[i]))
            i++;
        Assert.Fail($"{name}: element {i} of {expected.Length} is {actual[i]:R}, expected {expected[i]:R} to the bit");
    }

    /// <summary>Equal to the bit, NaNs included: numbers of any type, widened.</summary>
    internal static void SameBits(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string name)
    {
        Assert.AreEqual(expected.Length, actual.Length, $"{name}: number of elements");
        if (MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)))
            return;
        int i = 0;
        while (BitConverter.DoubleToUInt64Bits(expected[i]) == BitConverter.DoubleToUInt64Bits(actual[i]))
            i++;
        Assert.Fail($"{name}: element {i} of {expected.Length} is {actual[i]:R}, expected {expected[i]:R} to the bit");
    }

    private static void Each(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, string name, Func<double, double> tolerance)
    {
        Assert.AreEqual(expected.Length, actual.Length, $"{name}: number of elements");
        for (int i = 0; i < expected.Length; i++)
        {
            // Written so that a NaN fails.
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance(expected[i])))
            {
                Assert.Fail($"{name}: element {i} of {expected.Length} is {actual[i]:R}, expected {expected[i]:R} "
                    + $"within {tolerance(expected[i]):G3}; off by {Math.Abs(expected[i] - actual[i]):G3}");
            }
        }
    }
}
