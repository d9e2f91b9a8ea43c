using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Bits;

/// <summary>Checksums of everything that a fixed set of calls gives: one line of text each.</summary>
/// <remarks>The inputs are exact floats made with integers alone (<see cref="Values"/>), so that they are the same everywhere.</remarks>
internal static class Digests
{
    /// <summary>Set to rewrite expected.txt in the source tree.</summary>
    internal const string RewriteVariable = "NORMINTEROP_REWRITE_BITS";

    private static readonly (string Shape, Form Form, bool Training, bool Affine, float Offset)[] Cases =
    [
        ("7x5", Form.Contiguous, true, true, 0),
        ("300x130", Form.Contiguous, true, true, 10),
        ("4x3x17", Form.Contiguous, true, false, 0),
        ("3x37x5x7", Form.Contiguous, true, true, -3),
        ("3x37x5x7", Form.ChannelsLast, true, true, -3),
        ("3x37x5x7", Form.ChannelsLast, false, true, -3),
        ("2x3x70x67", Form.Contiguous, true, true, 1000),
        ("2x3x70x67", Form.ChannelsLast, true, false, 1000),
        ("2x3x70x67", Form.Contiguous, false, true, 0),
        ("5x260x13x14", Form.Contiguous, true, true, 1),
        ("5x530x13x7", Form.ChannelsLast, true, true, 1),
        ("2x9x3x4x5", Form.Reversed, true, true, 100),
        ("2x19x3x4x5", Form.ChannelsLast, false, false, 100),
    ];

    internal static IEnumerable<string> Lines() => Cases.SelectMany(Lines).Concat(LayerDigests.Lines());

    private static IEnumerable<string> Lines((string Shape, Form Form, bool Training, bool Affine, float Offset) c)
    {
        int[] shape = Tensors.Shape(c.Shape);
        Values values = new(2024);
        Tensor<float> x = Tensors.Make(values.Array(Tensors.Count(shape), c.Offset), shape, c.Form);
        Tensor<float> dy = Tensors.Make(values.Array(Tensors.Count(shape)), shape, c.Form);
        BatchNorm<float> norm = Layers.Varied(shape, affine: c.Affine);
        norm.Train(c.Training);

        // Twice, so that accumulation and buffers that have moved take part.
        norm.Forward(x);
        norm.Backward(dy);
        Tensor<float> y = norm.Forward(x), dx = norm.Backward(dy);
        string mode = c.Training ? "training" : "evaluation";
        string name = $"{c.Shape} {c.Form} {mode} {(c.Affine ? "affine" : "plain")} offset {c.Offset:F0}";
        yield return $"{name} y {Digest(Tensors.Flat(y))}";
        yield return $"{name} dx {Digest(Tensors.Flat(dx))}";
        foreach ((string part, double[] content) in new ModuleState(norm).Parts)
        {
            if (part is not ("weight" or "bias"))
                yield return $"{name} {part} {Digest(Array.ConvertAll(content, value => (float)value))}";
        }
    }

    // 64 bits are plenty to tell two results apart, and keep lines short.
    private static string Digest(float[] values) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())))[..16];
}
