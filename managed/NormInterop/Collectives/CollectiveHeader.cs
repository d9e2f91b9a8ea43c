using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace NormInterop.Collectives;

internal enum CollectiveKind : byte
{
    AllGather = 1,
    AllReduce,
    Barrier,
    Split,

    /// <summary>The last message of a large AllReduce.</summary>
    Sums,
}

/// <summary>An operation, as all ranks must have called it.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="ValueBytes">The size of a value; 0 where there are none.</param>
/// <param name="Count">The number of values, of a sum that is taken piece by piece all of them.</param>
/// <param name="Name">Its name.</param>
internal readonly record struct CollectiveCall(CollectiveKind Kind, int ValueBytes, long Count, string Name)
{
    /// <summary>The first value of a piece.</summary>
    internal long Offset { get; init; }
}

/// <summary>
/// What stands before the values of every block: which operation it is. Ranks whose headers differ are in different operations, and
/// their values must not meet.
/// </summary>
/// <remarks>
/// Bytes 0 to 3 are a mark; 4 the kind; 5 the size of a value; 6 the length of the name; 8 the number of values; 16 the number of the
/// message in its group; 24 the first value of a piece; from 32 on the name in UTF-8, of which what is beyond 32 bytes is left out.
/// </remarks>
internal static class CollectiveHeader
{
    internal const int Bytes = 64;

    private const int NameStart = 32;
    private const uint Mark = 0x3143494E;

    internal static void Write(Span<byte> header, in CollectiveCall call, long sequence)
    {
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Mark);
        header[4] = (byte)call.Kind;
        header[5] = (byte)call.ValueBytes;
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], call.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], call.Offset);

        // As many whole characters as there is room for.
        Utf8.FromUtf16(call.Name, header[NameStart..], out _, out int written, replaceInvalidSequences: true, isFinalBlock: true);
        header[6] = (byte)written;
    }

    /// <summary>What a rank says it is doing, in words: "all-reduce of 128 doubles, number 7, 'SyncBatchNorm 1 backward'".</summary>
    internal static string Describe(ReadOnlySpan<byte> header)
    {
        if (header.Length < Bytes || BinaryPrimitives.ReadUInt32LittleEndian(header) != Mark)
            return "something else";
        long count = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
        long sequence = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        string name = Encoding.UTF8.GetString(header.Slice(NameStart, Math.Min((int)header[6], Bytes - NameStart)));
        string values = $"{count.ToString(CultureInfo.InvariantCulture)} {(header[5] == sizeof(float) ? "float" : "double")} values";
        string kind = (CollectiveKind)header[4] switch
        {
            CollectiveKind.AllGather => $"all-gather of {values}",
            CollectiveKind.AllReduce or CollectiveKind.Sums => $"all-reduce of {values}",
            CollectiveKind.Barrier => "barrier",
            _ => "split",
        };
        string quoted = name.Length == 0 ? "" : $"'{name}', ";
        return string.Create(CultureInfo.InvariantCulture, $"{quoted}{kind}, number {sequence}");
    }
}
