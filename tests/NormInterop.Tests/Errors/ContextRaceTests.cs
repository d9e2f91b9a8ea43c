using System.Numerics.Tensors;

namespace NormInterop.Tests.Errors;

/// <summary>A context is for one thread. Used by two, it may throw or compute nonsense, but no memory of others may be written.</summary>
[TestClass]
public sealed class ContextRaceTests
{
    private const int Length = 16;
    private const int ManyRows = 64;
    private const float Canary = 123.5f;

    [TestMethod]
    public void SharedContext_WritesOnlyWithinTheOutput()
    {
        LayerNorm<float> layer = new([Length]);
        NormContext<float> shared = new();
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(1));
        Thread other = new(() =>
        {
            Tensor<float> x = Tensor.CreateFromShape<float>([ManyRows, Length]), y = Tensor.CreateFromShape<float>([ManyRows, Length]);
            while (!stop.IsCancellationRequested)
                Try(() => layer.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), shared));
        });
        other.Start();

        // The output is the beginning of a buffer that is as large as the other thread's.
        float[] buffer = new float[ManyRows * Length];
        Array.Fill(buffer, Canary);
        Tensor<float> input = Tensor.CreateFromShape<float>([1, Length]), output = Tensor.Create(buffer, 0, [1, Length], []);
        while (!stop.IsCancellationRequested)
        {
            Try(() => layer.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), shared));
            Try(() => layer.Backward(input.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), shared));
        }

        other.Join();
        Assert.AreEqual(-1, Array.FindIndex(buffer, Length, value => value != Canary), "first element beyond the output that was written");
    }

    private static void Try(Action call)
    {
        try
        {
            call();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // What a race ends in is not promised, save that it is an exception of this kind or a result.
        }
    }
}
