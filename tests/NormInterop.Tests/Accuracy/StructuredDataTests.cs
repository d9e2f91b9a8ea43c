using NormInterop.Tests.Support;

namespace NormInterop.Tests.Accuracy;

/// <summary>
/// Data as networks have them, not as a generator of noise makes them: many equal values, few significant bits, and planes whose first
/// values say little about their mean. A single-precision sum of such data rounds the same way again and again.
/// </summary>
[TestClass]
public sealed class StructuredDataTests
{
    private static readonly int[] Shape = [8, 4, 64, 64];

    public static IEnumerable<object[]> Cases =>
        from data in new[] { "rectified", "pixels", "halves" }
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        select new object[] { data, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void FewDifferentValues_AreAsAccurateAsMany(string data, Form form)
    {
        for (ulong seed = 0; seed < 4; seed++)
        {
            Values values = new(seed);
            float[] x = new float[Tensors.Count(Shape)];
            for (int i = 0; i < x.Length; i++)
            {
                // Planes begin 1.4 standard deviations above their mean, as an image does with sky above a landscape.
                float value = i % (64 * 64) < 16 ? values.Next() / 8 + 1.4f : values.Next();
                x[i] = data switch
                {
                    "rectified" => Math.Max(value, 0),
                    "pixels" => Math.Clamp((int)(value * 60) + 115, 0, 255) / 256f,
                    _ => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF_0000),
                };
            }

            BatchNorm2d<float> norm = new(4, momentum: 1);
            Oracle oracle = new(norm, x, Shape);
            Expect.Output(oracle.Y, Tensors.Flat(norm.Forward(Tensors.Make(x, Shape, form))), $"y of seed {seed}");
            Expect.Buffer(Oracle.Doubles(oracle.RunningMean), Tensors.Flat(norm.RunningMean!), $"running mean of seed {seed}");
            Expect.Buffer(Oracle.Doubles(oracle.RunningVar), Tensors.Flat(norm.RunningVar!), $"running var of seed {seed}");
        }
    }
}
