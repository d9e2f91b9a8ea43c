using System.Buffers.Binary;
using System.Text;
using NormInterop.State;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.State;

/// <summary>Files that break one rule of the format each, and files with random damage: an error that names it, never a crash.</summary>
[TestClass]
public sealed class HostileFileTests
{
    /// <summary>Replacements in <see cref="Files.GoodHeader"/>, and what the message must say.</summary>
    public static IEnumerable<(string Old, string New, string Message)> Headers =>
    [
        ("{\"a\"", " {\"a\"", "does not begin with '{'"),
        (Files.GoodHeader, "[1]", "does not begin with '{'"),
        (Files.GoodHeader, "", "does not begin with '{'"),
        (Files.GoodHeader, "{", "not valid JSON"),
        (Files.GoodHeader, "{}", "the tensors take 0 bytes of data, but the file has 24"),
        ("]}}", "]}} {}", "not valid JSON"),
        ("]}}", "]}}\0", "not valid JSON"),
        ("]}}", "]},}", "not valid JSON"),
        ("{\"a\"", "{/**/\"a\"", "not valid JSON"),
        ("\"b\"", "\"a\"", "key \"a\" is there twice"),
        ("\"b\"", "\"\\u0061\"", "key \"a\" is there twice"),
        ("\"b\"", "\"\\ud800\"", "half of a surrogate pair"),
        ("{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}", "7", "tensor \"b\" is 7; expected an object"),
        ("{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}", "null", "tensor \"b\" is null; expected an object"),
        ("\"dtype\":\"I64\",", "", "tensor \"b\" has no dtype"),
        ("\"shape\":[],", "", "tensor \"b\" has no shape"),
        (",\"data_offsets\":[0,8]", "", "tensor \"b\" has no data_offsets"),
        ("\"shape\":[],", "\"shape\":[],\"shape\":[],", "tensor \"b\" has the field \"shape\" twice"),
        ("\"shape\":[],", "\"shape\":[],\"strides\":[],", "tensor \"b\" has the unknown field \"strides\""),
        ("\"I64\"", "\"I65\"", "dtype of tensor \"b\" is \"I65\", which is unknown"),
        ("\"I64\"", "\"i64\"", "dtype of tensor \"b\" is \"i64\", which is unknown"),
        ("\"I64\"", "64", "dtype of tensor \"b\" is 64; expected a string"),
        ("\"I64\"", "null", "dtype of tensor \"b\" is null; expected a string"),
        ("\"I64\"", "\"F64\"", ""),
        ("\"I64\"", "\"I32\"", "tensor \"b\" is I32 [], which takes 4 bytes, but data_offsets [0, 8] has 8"),
        ("[2,2]", "[2,3]", "tensor \"a\" is F32 [2, 3], which takes 24 bytes, but data_offsets [8, 24] has 16"),
        ("[2,2]", "[2,-2]", "shape of tensor \"a\" has -2"),
        ("[2,2]", "[2,2.0]", "shape of tensor \"a\" has 2.0"),
        ("[2,2]", "[2,2e0]", "shape of tensor \"a\" has 2e0"),
        ("[2,2]", "[2,\"2\"]", "shape of tensor \"a\" has \"2\""),
        ("[2,2]", "[2,[2]]", "shape of tensor \"a\" has an array"),
        ("[2,2]", "[2,18446744073709551618]", "shape of tensor \"a\" has 18446744073709551618"),
        ("[2,2]", "[2,9223372036854775808]", "shape of tensor \"a\" has 9223372036854775808"),
        ("[2,2]", "[4294967296,4294967296]", "no whole number of bytes or more than 2^63"),
        ("[2,2]", "[2305843009213693953,4]", "no whole number of bytes or more than 2^63"),
        ("[2,2]", "[4611686018427387904]", "no whole number of bytes or more than 2^63"),
        ("[2,2]", "[4294967296,0,4294967296]", "no whole number of bytes or more than 2^63"),
        ("[2,2]", "4", "shape of tensor \"a\" is 4; expected an array"),
        ("[2,2]", "{}", "shape of tensor \"a\" is an object; expected an array"),
        ("[2,2]", "[4" + Ones(64) + "]", "more than 64 numbers"),
        ("\"F32\",\"shape\":[2,2]", "\"F4\",\"shape\":[31]", "no whole number of bytes or more than 2^63"),
        ("\"F32\",\"shape\":[2,2]", "\"F4\",\"shape\":[32]", ""),
        ("[8,24]", "[8,24,32]", "data_offsets of tensor \"a\" has more than 2 numbers"),
        ("[8,24]", "[8]", "data_offsets of tensor \"a\" has 1 number"),
        ("[8,24]", "[]", "tensor \"a\" has no data_offsets"),
        ("[8,24]", "[24,8]", "data_offsets of tensor \"a\" are [24, 8]: the end lies before the beginning"),
        ("[8,24]", "[8,25]", "data_offsets of tensor \"a\" are [8, 25], but the file has 24 bytes of data"),
        ("[8,24]", "[-8,8]", "data_offsets of tensor \"a\" has -8"),
        ("[8,24]", "[9223372036854775807,9223372036854775807]", "but the file has 24 bytes of data"),
        ("[8,24]", "[4,20]", "begins at 4 and overlaps another tensor; expected 8"),
        ("[0,8]", "[16,24]", "tensor \"a\" begins at 8 and leaves a hole; expected 0"),
        ("\"b\"", "\"__metadata__\"", "__metadata__ \"shape\" is an array; expected a string"),
        ("{\"a\"", "{\"__metadata__\":null,\"a\"", "__metadata__ is null; expected an object of strings"),
        ("{\"a\"", "{\"__metadata__\":{\"k\":1},\"a\"", "__metadata__ \"k\" is 1; expected a string"),
        ("{\"a\"", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"},\"a\"", "key \"k\" is in __metadata__ twice"),
        ("{\"a\"", "{\"__metadata__\":{},\"__metadata__\":{},\"a\"", "key \"__metadata__\" is there twice"),
        ("{\"a\"", "{\"__metadata__\":{\"k\":\"1\"},\"a\"", ""),
        ("]}}", "]}}   ", ""),
    ];

    [TestMethod]
    [DynamicData(nameof(Headers))]
    public void EachRule_IsChecked(string old, string changed, string message)
    {
        string header = Files.GoodHeader.Replace(old, changed, StringComparison.Ordinal);
        Assert.AreNotEqual(Files.GoodHeader, header, "the test's own replacement");
        Expected(Files.Make(header, 24), message);
    }

    /// <summary>The file's own length, and the length that it gives for its header.</summary>
    [TestMethod]
    public void Lengths_AreChecked()
    {
        Expected(Files.Good, string.Empty);
        Expected([], "it has 0 bytes; expected at least the 8");
        Expected(Files.Good[..7], "it has 7 bytes; expected at least the 8");
        Expected(Files.Good[..8], "but only 0 follow");
        Expected(Files.Good[..^1], "data_offsets of tensor \"a\" are [8, 24], but the file has 23 bytes of data");
        Expected([.. Files.Good, 0], "the tensors take 24 bytes of data, but the file has 25");
        Expected(WithLength(0), "does not begin with '{'");
        Expected(WithLength(1), "not valid JSON");
        Expected(WithLength((ulong)Files.Good.Length - 8 + 1), "but only");
        Expected(WithLength(100_000_000), "but only");
        Expected(WithLength(100_000_001), "header is to have 100000001 bytes; expected at most 100000000");
        Expected(WithLength(ulong.MaxValue), "header is to have 18446744073709551615 bytes");
    }

    [TestMethod]
    public void TextThatIsNotUtf8_IsRefused()
    {
        byte[] header = Encoding.UTF8.GetBytes(Files.GoodHeader);
        header[Files.GoodHeader.IndexOf('b', StringComparison.Ordinal)] = 0xFF;
        Expected(Files.Make(header, 24), "not valid UTF-8");
        Expected(Files.Make([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Files.GoodHeader)], 24), "does not begin with '{'");
    }

    [TestMethod]
    public void LongNames_DoNotFillTheMessage()
    {
        string header = Files.GoodHeader.Replace("\"b\"", $"\"{new string('x', 100000)}\\n\"", StringComparison.Ordinal)
            .Replace("I64", "I65", StringComparison.Ordinal);
        using TemporaryFolder folder = new();
        string path = folder.Write("long.safetensors", Files.Make(header, 24));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => StateDict.Load(path)).Message;
        Assert.IsLessThan(400, message.Length);
    }

    [TestMethod]
    public void DeepNesting_IsRefused()
    {
        string header = "{\"a\":{\"dtype\":" + new string('[', 1_000_000);
        Expected(Files.Make(header, 24), "dtype of tensor \"a\" is an array; expected a string");
        Expected(Files.Make("{\"a\":{\"shape\":" + new string('[', 1_000_000), 24), "shape of tensor \"a\" has an array");
    }

    /// <summary>Each byte of a good file replaced, one at a time and several at once: what is still read is a whole dict.</summary>
    [TestMethod]
    public void RandomDamage_IsRefusedOrHarmless()
    {
        byte[] good = File.ReadAllBytes(Files.Golden("names"));
        Values random = new(17);
        int refused = 0;
        for (int i = 0; i < 60000; i++)
        {
            byte[] file = [.. good];
            for (int changes = 0; changes <= i % 3; changes++)
                file[random.NextBits() % (uint)file.Length] = (byte)random.NextBits();
            if (i % 4 == 0)
                file = file[..(int)(random.NextBits() % (uint)file.Length)];
            refused += TryParse(file) ? 0 : 1;
        }

        Assert.IsGreaterThan(30000, refused, "most damage is in the header");
    }

    /// <summary>As above, through both ways to read a file, and reading every tensor that is there.</summary>
    [TestMethod]
    public void RandomDamageOnDisk_IsRefusedOrHarmless()
    {
        byte[] good = File.ReadAllBytes(Files.Golden("model_bfloat16"));
        Values random = new(18);
        using TemporaryFolder folder = new();
        for (int i = 0; i < 600; i++)
        {
            byte[] file = [.. good];
            file[random.NextBits() % (uint)(i % 2 == 0 ? 16 : file.Length)] ^= (byte)(1 << (i % 8));
            if (i % 3 == 0)
                file = file[..(int)(random.NextBits() % (uint)file.Length)];
            string path = folder.Write("damaged.safetensors", file);
            bool loaded = TryRead(path, StateDict.Load), opened = TryRead(path, StateDict.Open);
            Assert.AreEqual(loaded, opened);
        }
    }

    [TestMethod]
    public void WhatIsNoFile_IsRefused()
    {
        using TemporaryFolder folder = new();
        foreach (Func<string, StateDict> read in (Func<string, StateDict>[])[StateDict.Load, StateDict.Open])
        {
            Assert.ThrowsExactly<FileNotFoundException>(() => read(folder["absent"]));
            Assert.ThrowsExactly<DirectoryNotFoundException>(() => read(Path.Combine(folder["absent"], "file")));
            Assert.ThrowsExactly<UnauthorizedAccessException>(() => read(folder.Root));
            Assert.ThrowsExactly<ArgumentNullException>(() => read(null!));
            Assert.ThrowsExactly<ArgumentException>(() => read(string.Empty));
        }
    }

    private static string Ones(int count) => string.Concat(Enumerable.Repeat(",1", count));

    private static byte[] WithLength(ulong length)
    {
        byte[] file = Files.Good;
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        return file;
    }

    /// <summary>Both ways to read a file refuse it with this message; with an empty one, both read it.</summary>
    private static void Expected(byte[] content, string message)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("file.safetensors", content);
        foreach (Func<string, StateDict> read in (Func<string, StateDict>[])[StateDict.Load, StateDict.Open])
        {
            if (message.Length == 0)
                read(path).Dispose();
            else
                Assert.Contains(message, Assert.ThrowsExactly<InvalidDataException>(() => read(path)).Message);
        }
    }

    private static bool TryParse(byte[] file)
    {
        if (file.Length < 8 || BinaryPrimitives.ReadUInt64LittleEndian(file) > (ulong)file.Length - 8)
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(file);
        int data = file.Length - 8 - length;
        try
        {
            (List<SafetensorsEntry> entries, _) = SafetensorsHeader.Parse(file.AsSpan(8, length), data);
            Assert.AreEqual(data, entries.Sum(entry => entry.End - entry.Begin));
            Assert.IsTrue(entries.TrueForAll(entry => entry.Begin >= 0 && entry.Begin <= entry.End && entry.End <= data));
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static bool TryRead(string path, Func<string, StateDict> read)
    {
        try
        {
            using StateDict state = read(path);
            foreach (StateTensor tensor in state.Values)
                Assert.HasCount((int)tensor.ByteLength, tensor.ToBytes());
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
