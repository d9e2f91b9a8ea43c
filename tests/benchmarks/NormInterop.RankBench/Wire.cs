using System.Numerics;
using NormInterop.Collectives;

namespace NormInterop.RankBench;

/// <summary>What an operation sends, counted as native/mpi/src/group.cpp does it.</summary>
internal static class Wire
{
    // Before the blocks of a message: number of the operation, round, number of blocks. Before a block: its length.
    private const int MessageHead = 16;
    private const int BlockHead = 8;

    /// <summary>Whether a sum goes other ways: from 64 KiB on, more than two ranks take it in parts.</summary>
    public static bool IsInParts(int ranks, int values) => ranks > 2 && values * sizeof(double) >= 64 * 1024;

    public static int Rounds(int ranks) => BitOperations.Log2((uint)ranks - 1) + 1;

    /// <summary>Bytes of a rank's block in a message.</summary>
    public static double BlockBytes(int values) => BlockHead + CollectiveHeader.Bytes + (sizeof(double) * (double)values);

    /// <summary>Bytes that every rank receives, and sends, in an operation: a message a round, every other rank's block once.</summary>
    public static double Bytes(int ranks, int values) => (Rounds(ranks) * (double)MessageHead) + ((ranks - 1) * BlockBytes(values));

    /// <summary>Bytes of a forward and a backward.</summary>
    public static double StepBytes(int ranks, int channels) => Bytes(ranks, (2 * channels) + 1) + Bytes(ranks, 2 * channels);

    /// <summary>What a layer's step adds to <see cref="CollectiveTraffic.Bytes"/>.</summary>
    public static long BytesOfStep(int channels) => (2L * CollectiveHeader.Bytes) + (sizeof(double) * ((4L * channels) + 1));
}
