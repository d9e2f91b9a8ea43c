using System.Runtime.InteropServices;

namespace NormInterop.Samples.DataParallel;

/// <summary>Whether all ranks have the same numbers.</summary>
/// <param name="Count">How many each of them has.</param>
/// <param name="Different">How many of these are not the same on all ranks.</param>
internal readonly record struct Agreement(int Count, int Different)
{
    public bool IsComplete => Different == 0;

    /// <summary>Compares bit by bit. All ranks call it, and all get the same answer.</summary>
    public static Agreement Of(float[] values, ICollective group)
    {
        float[] gathered = new float[values.Length * group.WorldSize];
        group.AllGather(values, gathered, "comparison of the ranks");
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(gathered);
        int different = 0;
        for (int i = 0; i < values.Length; i++)
        {
            bool same = true;
            for (int rank = 1; rank < group.WorldSize; rank++)
                same &= bits[(rank * values.Length) + i] == bits[i];
            different += same ? 0 : 1;
        }

        return new Agreement(values.Length, different);
    }
}
