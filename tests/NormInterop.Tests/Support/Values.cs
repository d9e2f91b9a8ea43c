namespace NormInterop.Tests.Support;

/// <summary>
/// Numbers that are the same on every machine: a linear congruential generator (Knuth's MMIX constants) of which whole multiples
/// of powers of two are made. Exact in float, and made without any function that may round differently elsewhere.
/// </summary>
internal sealed class Values(ulong seed)
{
    // Neighbouring seeds would begin with almost equal numbers.
    private ulong _state = (seed + 1) * 0x9E37_79B9_7F4A_7C15;

    internal uint NextBits()
    {
        _state = (_state * 6364136223846793005) + 1442695040888963407;
        return (uint)(_state >> 32);
    }

    /// <summary>The sum of four uniform numbers, roughly normal with variance 1, as a multiple of 2^-16, plus an offset.</summary>
    internal float Next(float offset = 0)
    {
        int sum = 0;
        for (int i = 0; i < 4; i++)
            sum += (int)(NextBits() >> 15) - (1 << 16);

        // Uniform over a width of 2 has variance 1/3; the sum of four, 4/3; times 7/8, about 1.
        return (sum / 8 * 7 / 65536f) + offset;
    }

    internal float[] Array(int count, float offset = 0)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = Next(offset);
        return values;
    }

    internal static float[] Of(ulong seed, int count, float offset = 0) => new Values(seed).Array(count, offset);
}
