using System.Globalization;

namespace NormInterop.PeerBench.Results;

/// <summary>What the figures depend on.</summary>
internal static class Machine
{
    // Where the system does not say: what the library assumes as well.
    private const long UnknownCache = 8 << 20;

    /// <summary>Name of the processor.</summary>
    public static string Processor()
    {
        const string Facts = "/proc/cpuinfo";
        IEnumerable<string> lines = File.Exists(Facts) ? File.ReadLines(Facts) : [];
        string? line = lines.FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal));
        return line?.Split(':', 2)[1].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown processor";
    }

    /// <summary>Bytes of the largest cache of a processor.</summary>
    public static long CacheBytes()
    {
        const string Caches = "/sys/devices/system/cpu/cpu0/cache";
        if (!Directory.Exists(Caches))
            return UnknownCache;
        return Directory.EnumerateDirectories(Caches, "index*").Select(ReadSize).DefaultIfEmpty(UnknownCache).Max();
    }

    // "32768K"
    private static long ReadSize(string cache)
    {
        string path = Path.Combine(cache, "size");
        string text = File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        int shift = text.LastOrDefault() switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        string digits = shift > 0 ? text[..^1] : text;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long size) ? size << shift : 0;
    }
}
