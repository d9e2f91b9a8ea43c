using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Bits;

/// <summary>The number of threads changes no bit of anything.</summary>
[TestClass]
public sealed class ThreadTests
{
    /// <summary>More than 200 000 elements each, so that threads do start: few channels, many, ragged ends, rows and planes.</summary>
    public static IEnumerable<object[]> Cases =>
        from shape in new[] { "8x4x96x81", "4x300x16x15", "1x3x301x257", "64x67x7x7", "2x1x400x401", "3001x70" }
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || shape != "3001x70"
        select new object[] { shape, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void AnyNumberOfThreads_GivesTheSameBits(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        Tensor<float> x = Tensors.Random(1, shape, form, offset: 1);
        Tensor<float> dy = Tensors.Random(2, shape, form);
        foreach (bool training in new[] { true, false })
        {
            Run one = new(shape, x, dy, training, threads: 1);
            foreach (int threads in new[] { 2, 3, 8, 0 })
                one.AssertEqual(new Run(shape, x, dy, training, threads), $"{threads} threads, training {training}");
        }
    }

    /// <summary>The limit of the process is as harmless as that of the module.</summary>
    [TestMethod]
    public void AnyThreadLimit_GivesTheSameBits()
    {
        int[] shape = [8, 4, 96, 81];
        Tensor<float> x = Tensors.Random(1, shape), dy = Tensors.Random(2, shape);
        Run one = new(shape, x, dy, training: true, threads: 1);
        try
        {
            foreach (int limit in new[] { 1, 3, 8 })
            {
                NormRuntime.ThreadLimit = limit;
                one.AssertEqual(new Run(shape, x, dy, training: true, threads: 0), $"limit {limit}");
            }
        }
        finally
        {
            NormRuntime.ThreadLimit = 0;
        }
    }

    private sealed class Run
    {
        private readonly float[] _y;
        private readonly float[] _dx;
        private readonly ModuleState _state;

        internal Run(int[] shape, Tensor<float> x, Tensor<float> dy, bool training, int threads)
        {
            BatchNorm<float> norm = Layers.Varied(shape);
            norm.MaxThreads = threads;
            _y = Tensors.Flat(norm.Train(training).Forward(x));
            _dx = Tensors.Flat(norm.Backward(dy));
            _state = new ModuleState(norm);
        }

        internal void AssertEqual(Run other, string when)
        {
            Expect.SameBits(_y, other._y, $"y, {when}");
            Expect.SameBits(_dx, other._dx, $"dx, {when}");
            _state.AssertEqual(other._state, when);
        }
    }
}
