using System.Runtime.InteropServices;
using System.Security.Cryptography;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Bits;

/// <summary>Checksums of every layer in every type, computed with several numbers of threads: a line of text for each case.</summary>
internal static class LayerDigests
{
    // The library starts a thread for each 32768 elements; below twice that many, threads of its own are all there is to try.
    private const int FewElements = 65_536;

    // Beyond this one type is enough of a wait: the ways to share work among threads are the same for all.
    private const int MostInAllTypes = 300_000;

    internal static IEnumerable<string> Lines() =>
        from c in LayerShapes.Medium.Concat(LayerShapes.Large)
        let count = Tensors.Count(c.Shape)
        from type in Data.Types
        where count <= MostInAllTypes || type is "float"
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || (c.Shape.Length > 2 && c.Layer is not ("LayerNorm" or "RMSNorm"))
        from training in new[] { true, false }
        where training || HasModes(c.Layer)
        select Line(c, type, form, training);

    private static string Line(ModuleCase c, string type, Form form, bool training)
    {
        int count = Tensors.Count(c.Shape);
        Values values = new(2025);
        double[] x = Data.Doubles(values.Array(count, offset: 1)), dy = Data.Doubles(values.Array(count));
        int[] threads = count < FewElements ? [1, 8] : [1, 2, 3, 8];
        string[] digests = Array.ConvertAll(threads, most => Digest(AnyLayer.Make(type, c).Train(training), x, dy, c.Shape, form, most));
        int different = Array.FindIndex(digests, digest => digest != digests[0]);
        string mode = training ? "training" : "evaluation";
        string name = $"{c.Layer} {c.Name} {type} {form} {mode}: {digests[0]}";
        return different < 0 ? name : $"{name}; with {threads[different]} threads {digests[different]}";
    }

    private static string Digest(AnyLayer module, double[] x, double[] dy, int[] shape, Form form, int threads)
    {
        module.MaxThreads = threads;
        List<string> parts = [$"y {Digest(module.Forward(x, shape, form))}", $"dx {Digest(module.Backward(dy, shape, form))}"];
        parts.AddRange(
            from part in module.State.Parts
            where part.Name is not ("weight" or "bias" or "factor")
            select $"{part.Name} {Digest(part.Values)}");
        return string.Join(", ", parts);
    }

    private static bool HasModes(string layer) => layer.EndsWith('d') || layer is "CaffeBatchNorm";

    // Of the numbers in double, which is one to one.
    private static string Digest(double[] values) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())))[..16];
}
