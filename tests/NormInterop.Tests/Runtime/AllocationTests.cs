using System.Diagnostics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Runtime;

/// <summary>The span forms allocate nothing once the context has its memory.</summary>
[TestClass]
public sealed class AllocationTests
{
    public static IEnumerable<object[]> Cases =>
        from shape in new[] { "8x16", "4x16x6x7", "2x8x3x4x5", "4x20x32x32" }
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        from training in new[] { true, false }
        where form is Form.Contiguous || shape != "8x16"
        select new object[] { shape, form, training };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Spans_AllocateNothing(string lengths, Form form, bool training)
    {
        int[] shape = Tensors.Shape(lengths);
        Tensor<float> x = Tensors.Random(1, shape, form), y = Tensors.Poisoned(shape, form);
        Tensor<float> dy = Tensors.Random(2, shape, form), dx = Tensors.Poisoned(shape, form);
        BatchNorm<float> norm = Layers.Varied(shape);
        norm.Train(training);
        NormContext<float> context = new();
        long Run(int calls)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < calls; i++)
            {
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                norm.Backward(dy.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan());
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        // The runtime itself may allocate a few bytes on this thread, once, when it replaces code by a better compiled version.
        // An allocation of ours would be in every run.
        long least = Enumerable.Range(0, 4).Min(_ => Run(100));
        Assert.AreEqual(0, least, "bytes allocated in 100 forwards and backwards");
    }

    /// <summary>A small output is a tensor and its array, and no more is allocated for it.</summary>
    [TestMethod]
    public void SmallTensors_AllocateTheirOutputOnly()
    {
        BatchNorm1d<float> norm = new(8);
        Tensor<float> x = Tensors.Random(1, [2, 8]);
        long Least(Func<object> call) => Enumerable.Range(0, 6).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
                call();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        long output = Least(() => Tensor.CreateFromShapeUninitialized<float>(x.Lengths));
        Assert.AreEqual(output, Least(() => norm.Forward(x)), "100 forwards");
        Assert.AreEqual(2 * output, Least(() => (norm.Forward(x), norm.Backward(x)).Item2), "100 forwards and backwards");
    }

    /// <summary>A million calls, of which some return tensors: neither memory nor threads are left.</summary>
    [TestMethod]
    public void AMillionCalls_LeaveNothingBehind()
    {
        BatchNorm1d<float> norm = new(8);
        Tensor<float> x = Tensors.Random(1, [2, 8]), y = Tensors.Poisoned([2, 8]);
        NormContext<float> context = new();
        void Run(int calls)
        {
            for (int i = 0; i < calls; i++)
            {
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                if (i % 4 == 0)
                    norm.Backward(norm.Forward(x));
            }
        }

        Run(10_000);
        long memory = GC.GetTotalMemory(forceFullCollection: true);
        using Process process = Process.GetCurrentProcess();
        int threads = process.Threads.Count;
        Run(700_000);
        process.Refresh();
        Assert.IsLessThan(1 << 20, GC.GetTotalMemory(forceFullCollection: true) - memory, "bytes more than before");
        Assert.IsLessThan(threads + 8, process.Threads.Count, "threads; the runtime itself may start some");
    }
}
