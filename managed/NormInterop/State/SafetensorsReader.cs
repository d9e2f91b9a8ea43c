using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace NormInterop.State;

/// <summary>Reads safetensors files: 8 bytes with the length of the header, the header, the tensors' bytes.</summary>
internal static class SafetensorsReader
{
    internal static StateDict Load(string path)
    {
        using SafeFileHandle file = OpenFile(path);
        (List<SafetensorsEntry> entries, Dictionary<string, string> metadata, long start) = ReadHeader(file);
        StateDict state = NewDict(null, metadata);
        foreach (SafetensorsEntry entry in entries)
        {
            if (entry.End - entry.Begin > Array.MaxLength)
            {
                throw new NotSupportedException(
                    $"Tensor \"{SafetensorsText.Shown(entry.Key)}\" takes {entry.End - entry.Begin} bytes; an array holds at most "
                    + $"{Array.MaxLength}. {nameof(StateDict)}.{nameof(StateDict.Open)} reads larger ones.");
            }

            byte[] bytes = new byte[entry.End - entry.Begin];
            ReadExactly(file, bytes, start + entry.Begin);
            state.Add(entry.Key, new StateTensor(entry.Type, entry.Shape, new ArrayBytes(bytes)));
        }

        return state;
    }

    internal static StateDict Open(string path)
    {
        SafeFileHandle file = OpenFile(path);
        MappedFile? mapped = null;
        try
        {
            (List<SafetensorsEntry> entries, Dictionary<string, string> metadata, long start) = ReadHeader(file);
            mapped = new MappedFile(file);
            StateDict state = NewDict(mapped, metadata);
            foreach (SafetensorsEntry entry in entries)
            {
                MappedBytes bytes = new(mapped, start + entry.Begin, entry.End - entry.Begin);
                state.Add(entry.Key, new StateTensor(entry.Type, entry.Shape, bytes));
            }

            return state;
        }
        catch
        {
            mapped?.Dispose();
            file.Dispose();
            throw;
        }
    }

    private static SafeFileHandle OpenFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
    }

    /// <summary>The checked header and the position in the file where the data starts.</summary>
    private static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata, long Start) ReadHeader(SafeFileHandle file)
    {
        long fileLength = RandomAccess.GetLength(file);
        if (fileLength < SafetensorsText.LengthBytes)
        {
            throw SafetensorsHeader.Invalid(
                $"it has {fileLength} bytes; expected at least the {SafetensorsText.LengthBytes} that give the length of the header");
        }

        Span<byte> prefix = stackalloc byte[SafetensorsText.LengthBytes];
        ReadExactly(file, prefix, 0);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > SafetensorsText.MostHeaderBytes)
            throw SafetensorsHeader.Invalid($"its header is to have {length} bytes; expected at most {SafetensorsText.MostHeaderBytes}");
        long rest = fileLength - SafetensorsText.LengthBytes;
        if ((long)length > rest)
            throw SafetensorsHeader.Invalid($"its header is to have {length} bytes, but only {rest} follow");

        byte[] json = new byte[length];
        ReadExactly(file, json, SafetensorsText.LengthBytes);
        (List<SafetensorsEntry> entries, Dictionary<string, string> metadata) = SafetensorsHeader.Parse(json, rest - json.Length);
        return (entries, metadata, SafetensorsText.LengthBytes + json.Length);
    }

    private static StateDict NewDict(MappedFile? file, Dictionary<string, string> metadata)
    {
        StateDict state = new(file);
        foreach ((string key, string text) in metadata)
            state.Metadata.Add(key, text);
        return state;
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
                throw new EndOfStreamException($"The file ended at byte {offset} while it was read: somebody is shortening it.");
            destination = destination[read..];
            offset += read;
        }
    }
}
