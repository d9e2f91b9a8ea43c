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

    /// <summary>Nor may a mask be read or written beyond its end.</summary>
    [TestMethod]
    public void SharedContextWithAMask_WritesOnlyWithinTheOutputs()
    {
        const int samples = 4096;
        GroupNorm<float> layer = new(1, Length) { Activation = Activation.ReLU };
        NormContext<float> shared = new();
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(1));
        Thread other = new(() =>
        {
            Tensor<float> x = Tensor.CreateFromShape<float>([samples, Length]), y = Tensor.CreateFromShape<float>([samples, Length]);
            while (!stop.IsCancellationRequested)
            {
                Try(() => layer.Forward(x.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), shared));
                Try(() => layer.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), shared));
            }
        });
        other.Start();

        float[] buffer = new float[samples * Length], second = new float[samples * Length];
        Array.Fill(buffer, Canary);
        Array.Fill(second, Canary);
        Tensor<float> input = Tensor.CreateFromShape<float>([1, Length]);
        Tensor<float> output = Tensor.Create(buffer, 0, [1, Length], []), residual = Tensor.Create(second, 0, [1, Length], []);
        while (!stop.IsCancellationRequested)
        {
            Try(() => layer.Forward(
                input.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), shared));
            Try(() => layer.Backward(
                input.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), residual.AsTensorSpan(), shared));
            Try(() => layer.Backward(input.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), shared));
        }

        other.Join();
        Assert.AreEqual(-1, Array.FindIndex(buffer, Length, value => value != Canary), "first element beyond the output that was written");
        Assert.AreEqual(-1, Array.FindIndex(second, Length, value => value != Canary), "first element beyond the residual's gradient");
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
