using System.Text;

namespace NormInterop.State;

/// <summary>Names and texts in the header of a safetensors file.</summary>
internal static class SafetensorsText
{
    internal const string MetadataKey = "__metadata__";

    /// <summary>Bytes at the start of a file that give the length of the header, and its alignment.</summary>
    internal const int LengthBytes = 8;

    /// <summary>The limit of the reference implementation, in bytes.</summary>
    internal const int MostHeaderBytes = 100_000_000;

    // What a message shows of a name from a file.
    private const int MostShown = 200;

    // Throws where a string has half of a surrogate pair, which no UTF-8 stands for.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A name as a message shows it: not all of one that is megabytes long, and on one line.</summary>
    internal static string Shown(string text)
    {
        StringBuilder shown = new();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MostShown)))
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c);
        return text.Length > MostShown ? $"{shown}..." : shown.ToString();
    }

    internal static void CheckKey(string key, string paramName)
    {
        ArgumentNullException.ThrowIfNull(key, paramName);
        if (key == MetadataKey)
            throw new ArgumentException($"A tensor cannot be named \"{MetadataKey}\", where files keep their metadata.", paramName);
        if (!IsUnicode(key))
            throw new ArgumentException($"The name \"{Shown(key)}\" is not valid Unicode.", paramName);
    }

    internal static bool IsUnicode(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
                i++;
            else if (char.IsSurrogate(text[i]))
                return false;
        }

        return true;
    }

    /// <summary>A string in UTF-8, as names are sorted.</summary>
    internal static byte[] Utf8(string text) => Strict.GetBytes(text);

    /// <summary>Appends a JSON string with the escapes of the reference implementation: only those that must be.</summary>
    internal static void AppendString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append("\\u00").Append(((int)c).ToString("x2", null)),
                _ => json.Append(c),
            };
        }

        json.Append('"');
    }
}
