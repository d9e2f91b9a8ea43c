using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using NormInterop.Functional;

namespace NormInterop.State;

/// <summary>Writes safetensors files, byte for byte as the reference implementation does, and all or nothing.</summary>
internal static class SafetensorsWriter
{
    // Bytes that are copied at once.
    private const int ChunkBytes = 1 << 20;

    internal static void Save(StateDict state, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        List<(string Key, StateTensor Tensor)> tensors = InFileOrder(state);
        byte[] header = Header(state, tensors);
        string target = Path.GetFullPath(path);

        // In the same directory, because a rename replaces a file in one step only within a file system.
        string temporary = Path.Combine(Path.GetDirectoryName(target) ?? target, $".{Guid.NewGuid():N}.tmp");
        try
        {
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                Write(file, header, tensors);

                // Before the rename: otherwise a power failure could leave the new name with none of the new bytes.
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            Delete(temporary);
            throw;
        }
    }

    /// <summary>The widest types first, so that each tensor is aligned to its elements; then by the bytes of the name.</summary>
    private static List<(string Key, StateTensor Tensor)> InFileOrder(StateDict state)
    {
        Comparer<byte[]> byBytes = Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));
        return
        [
            .. state.OrderByDescending(entry => entry.Value.DataType)
                .ThenBy(entry => SafetensorsText.Utf8(entry.Key), byBytes)
                .Select(entry => (entry.Key, entry.Value)),
        ];
    }

    private static byte[] Header(StateDict state, List<(string Key, StateTensor Tensor)> tensors)
    {
        StringBuilder json = new("{");
        AppendMetadata(json, state.Metadata);
        long offset = 0;
        foreach ((string key, StateTensor tensor) in tensors)
        {
            if (json.Length > 1)
                json.Append(',');
            SafetensorsText.AppendString(json, key);
            json.Append(CultureInfo.InvariantCulture, $":{{\"dtype\":\"{tensor.DataType.Name()}\",\"shape\":[");
            json.AppendJoin(',', tensor.Shape.ToArray());
            long end = checked(offset + tensor.ByteLength);
            json.Append(CultureInfo.InvariantCulture, $"],\"data_offsets\":[{offset},{end}]}}");
            offset = end;
        }

        byte[] text = SafetensorsText.Utf8(json.Append('}').ToString());
        int padded = (text.Length + SafetensorsText.LengthBytes - 1) / SafetensorsText.LengthBytes * SafetensorsText.LengthBytes;
        if (padded > SafetensorsText.MostHeaderBytes)
        {
            throw new InvalidOperationException(
                $"The header takes {padded} bytes; a safetensors file may have {SafetensorsText.MostHeaderBytes}.");
        }

        byte[] header = new byte[SafetensorsText.LengthBytes + padded];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)padded);
        text.CopyTo(header, SafetensorsText.LengthBytes);
        return header;
    }

    private static void AppendMetadata(StringBuilder json, IDictionary<string, string> metadata)
    {
        if (metadata.Count == 0)
            return;
        SafetensorsText.AppendString(json, SafetensorsText.MetadataKey);
        json.Append(":{");
        char separator = '\0';
        foreach ((string key, string text) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (!SafetensorsText.IsUnicode(key) || text is null || !SafetensorsText.IsUnicode(text))
                throw new InvalidOperationException($"Metadata \"{SafetensorsText.Shown(key)}\" is null or not valid Unicode.");
            if (separator != '\0')
                json.Append(separator);
            separator = ',';
            SafetensorsText.AppendString(json, key);
            json.Append(':');
            SafetensorsText.AppendString(json, text);
        }

        json.Append('}');
    }

    private static void Write(FileStream file, byte[] header, List<(string Key, StateTensor Tensor)> tensors)
    {
        file.Write(header);
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            foreach ((_, StateTensor tensor) in tensors)
            {
                for (long offset = 0; offset < tensor.ByteLength; offset += chunk.Length)
                {
                    Span<byte> part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, tensor.ByteLength - offset));
                    tensor.Bytes.Read(offset, part);
                    file.Write(part);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    /// <summary>Best effort: what kept the file from being written is what the caller must hear, not what keeps it from going.</summary>
    private static void Delete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
