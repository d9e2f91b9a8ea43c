using System.Buffers.Binary;
using System.Text;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.State;

/// <summary>Files in the safetensors format: put together by hand, and those that PyTorch's state was written to.</summary>
internal static class Files
{
    /// <summary>Two tensors, 24 bytes of data, in an order that is not that of the header.</summary>
    internal const string GoodHeader =
        """{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]},"b":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}""";

    internal static byte[] Good => Make(GoodHeader, 24);

    /// <summary>Length, header, and data whose bytes count up.</summary>
    internal static byte[] Make(string header, int dataLength) => Make(Encoding.UTF8.GetBytes(header), dataLength);

    internal static byte[] Make(byte[] header, int dataLength)
    {
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. Enumerable.Range(0, dataLength).Select(i => (byte)i)];
    }

    /// <summary>A file of tests/golden/state; make_state.py beside that folder says what is in it.</summary>
    internal static string Golden(string name) => Path.Combine(Repository.Root, "tests", "golden", "state", $"{name}.safetensors");
}
