using System.Text.Json;
using System.Text.Unicode;
using NormInterop.Functional;

namespace NormInterop.State;

/// <summary>A tensor as the header of a safetensors file describes it. Begin and End are bytes from the end of the header on.</summary>
internal sealed record SafetensorsEntry(string Key, StateDataType Type, nint[] Shape, long Begin, long End);

/// <summary>
/// The header of a safetensors file: one JSON object, {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}, and
/// under "__metadata__" an object of strings. Everything is checked that can be, because files come from anywhere.
/// </summary>
/// <remarks>Format: the README of github.com/huggingface/safetensors. Stricter than its implementation in one point: a tensor must not have
/// fields other than these three, which would be lost when it is saved again.</remarks>
internal ref struct SafetensorsHeader
{
    // More than any library has; without a limit, a file could ask for millions.
    private const int MostDimensions = 64;

    private readonly long _dataLength;
    private readonly List<SafetensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];
    private Utf8JsonReader _reader;

    private SafetensorsHeader(ReadOnlySpan<byte> json, long dataLength)
    {
        _reader = new Utf8JsonReader(json);
        _dataLength = dataLength;
    }

    /// <summary>Reads a header and checks it against the number of bytes that follow it.</summary>
    /// <exception cref="InvalidDataException">The header breaks a rule of the format.</exception>
    internal static (List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
            throw Invalid("the header does not begin with '{'");
        if (!Utf8.IsValid(json))
            throw Invalid("the header is not valid UTF-8");
        SafetensorsHeader header = new(json, dataLength);
        try
        {
            header.ReadAll();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"Not a safetensors file: the header is not valid JSON: {e.Message}", e);
        }

        CheckCoverage(header._entries, dataLength);
        return (header._entries, header._metadata);
    }

    internal static InvalidDataException Invalid(string what) => new($"Not a safetensors file: {what}.");

    private void ReadAll()
    {
        HashSet<string> keys = [];
        _reader.Read();
        while (NextKey("the header") is { } key)
        {
            if (!keys.Add(key))
                throw Invalid($"the key \"{SafetensorsText.Shown(key)}\" is there twice");
            if (key == SafetensorsText.MetadataKey)
                ReadMetadata();
            else
                _entries.Add(ReadEntry(key));
        }

        // Throws where anything but white space follows.
        _reader.Read();
    }

    private void ReadMetadata()
    {
        Expect(JsonTokenType.StartObject, SafetensorsText.MetadataKey, "an object of strings");
        while (NextKey(SafetensorsText.MetadataKey) is { } key)
        {
            Expect(JsonTokenType.String, $"{SafetensorsText.MetadataKey} \"{SafetensorsText.Shown(key)}\"", "a string");
            if (!_metadata.TryAdd(key, Text()))
                throw Invalid($"the key \"{SafetensorsText.Shown(key)}\" is in {SafetensorsText.MetadataKey} twice");
        }
    }

    private SafetensorsEntry ReadEntry(string key)
    {
        string name = $"tensor \"{SafetensorsText.Shown(key)}\"";
        StateDataType? type = null;
        nint[]? shape = null, offsets = null;
        Expect(JsonTokenType.StartObject, name, "an object");
        while (NextKey(name) is { } field)
        {
            bool isNew = field switch
            {
                "dtype" => type is null,
                "shape" => shape is null,
                "data_offsets" => offsets is null,
                _ => throw Invalid($"{name} has the unknown field \"{SafetensorsText.Shown(field)}\""),
            };
            if (!isNew)
                throw Invalid($"{name} has the field \"{field}\" twice");
            if (field == "dtype")
                type = ReadType(name);
            else if (field == "shape")
                shape = ReadNumbers($"shape of {name}", MostDimensions);
            else
                offsets = ReadNumbers($"data_offsets of {name}", 2);
        }

        return Checked(
            name,
            new SafetensorsEntry(
                key,
                type ?? throw Invalid($"{name} has no dtype"),
                shape ?? throw Invalid($"{name} has no shape"),
                offsets is { Length: > 0 } ? offsets[0] : throw Invalid($"{name} has no data_offsets"),
                offsets.Length == 2 ? offsets[1] : throw Invalid($"data_offsets of {name} has 1 number, expected 2")));
    }

    private StateDataType ReadType(string name)
    {
        Expect(JsonTokenType.String, $"dtype of {name}", "a string");
        string text = Text();
        return StateDataTypes.Parse(text) ?? throw Invalid($"dtype of {name} is \"{SafetensorsText.Shown(text)}\", which is unknown");
    }

    private nint[] ReadNumbers(string name, int most)
    {
        Expect(JsonTokenType.StartArray, name, "an array");
        List<nint> numbers = [];
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (numbers.Count == most)
                throw Invalid($"{name} has more than {most} numbers");
            if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetUInt64(out ulong number) || number > (ulong)nint.MaxValue)
                throw Invalid($"{name} has {Token()}; expected an integer from 0 to {nint.MaxValue}");
            numbers.Add((nint)number);
        }

        return [.. numbers];
    }

    private readonly SafetensorsEntry Checked(string name, SafetensorsEntry entry)
    {
        if (entry.Begin > entry.End)
            throw Invalid($"data_offsets of {name} are [{entry.Begin}, {entry.End}]: the end lies before the beginning");
        if (entry.End > _dataLength)
            throw Invalid($"data_offsets of {name} are [{entry.Begin}, {entry.End}], but the file has {_dataLength} bytes of data");
        string what = $"{name} is {entry.Type.Name()} {TensorSpans.Size(entry.Shape)}";
        if (StateDataTypes.ByteLength(entry.Type, entry.Shape) is not { } expected)
            throw Invalid($"{what}, which takes no whole number of bytes or more than 2^63");
        long length = entry.End - entry.Begin;
        if (expected != length)
            throw Invalid($"{what}, which takes {expected} bytes, but data_offsets [{entry.Begin}, {entry.End}] has {length}");
        return entry;
    }

    /// <summary>The tensors fill the data without holes and without overlaps, in whatever order the header names them.</summary>
    private static void CheckCoverage(List<SafetensorsEntry> entries, long dataLength)
    {
        long covered = 0;
        foreach (SafetensorsEntry entry in entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != covered)
            {
                string wrong = entry.Begin > covered ? "leaves a hole" : "overlaps another tensor";
                throw Invalid($"tensor \"{SafetensorsText.Shown(entry.Key)}\" begins at {entry.Begin} and {wrong}; expected {covered}");
            }

            covered = entry.End;
        }

        if (covered != dataLength)
            throw Invalid($"the tensors take {covered} bytes of data, but the file has {dataLength}");
    }

    /// <summary>The next key of the object that the reader is in; null at its end.</summary>
    private string? NextKey(string owner)
    {
        if (!_reader.Read())
            throw Invalid($"{owner} does not end");
        return _reader.TokenType == JsonTokenType.PropertyName ? Text() : null;
    }

    private void Expect(JsonTokenType type, string name, string expected)
    {
        if (!_reader.Read() || _reader.TokenType != type)
            throw Invalid($"{name} is {Token()}; expected {expected}");
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Invalid($"the text at byte {_reader.TokenStartIndex} of the header has half of a surrogate pair");
        }
    }

    /// <summary>A token as a message shows it.</summary>
    private readonly string Token() => _reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => $"\"{SafetensorsText.Shown(Text())}\"",
        JsonTokenType.Number => SafetensorsText.Shown(System.Text.Encoding.ASCII.GetString(_reader.ValueSpan)),
        JsonTokenType type => type.ToString().ToLowerInvariant(),
    };
}
