using System.Diagnostics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Runtime;

/// <summary>Many .NET threads at once, and many calls after each other.</summary>
[TestClass]
public sealed class ConcurrencyTests
{
    private const int Callers = 16;

    /// <summary>Small ones that stay on their thread, and large ones that compete for helpers.</summary>
    public static IEnumerable<string> Shapes => ["5x7x6x4", "4x8x96x80"];

    [TestMethod]
    [DynamicData(nameof(Shapes))]
    public void OneModuleInEvaluation_ServesManyThreads(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        BatchNorm<float> norm = Layers.Varied(shape);
        norm.Eval();
        Tensor<float>[] inputs = Inputs(shape, 1);
        float[][] serial = Array.ConvertAll(inputs, x => Tensors.Flat(norm.Forward(x)));
        OnManyThreads(caller =>
        {
            NormContext<float> context = new();
            for (int repeat = 0; repeat < 5; repeat++)
                Expect.SameBits(serial[caller], Tensors.Flat(norm.Forward(inputs[caller], context)), $"y of caller {caller}");
        });
    }

    [TestMethod]
    [DynamicData(nameof(Shapes))]
    public void ModulesInTraining_DoNotDisturbEachOther(string lengths)
    {
        int[] shape = Tensors.Shape(lengths);
        Tensor<float>[] inputs = Inputs(shape, 1), gradients = Inputs(shape, 100);
        (float[] Dx, ModuleState State) Train(int caller)
        {
            BatchNorm<float> norm = Layers.Varied(shape);
            float[] dx = [];
            for (int step = 0; step < 3; step++)
            {
                norm.Forward(inputs[caller]);
                dx = Tensors.Flat(norm.Backward(gradients[caller]));
            }

            return (dx, new ModuleState(norm));
        }

        (float[] Dx, ModuleState State)[] serial = [.. Enumerable.Range(0, Callers).Select(Train)];
        OnManyThreads(caller =>
        {
            (float[] dx, ModuleState state) = Train(caller);
            Expect.SameBits(serial[caller].Dx, dx, $"dx of caller {caller}");
            serial[caller].State.AssertEqual(state, $"caller {caller}");
        });
    }

    /// <summary>What leaks a little in each call shows after twenty thousand.</summary>
    [TestMethod]
    public void TinyCalls_LeaveNeitherThreadsNorMemory()
    {
        int[] shape = [2, 3, 2, 2];
        Tensor<float> x = Tensors.Make(Values.Of(1, 24), shape), y = Tensors.Poisoned(shape), dx = Tensors.Poisoned(shape);
        BatchNorm<float> norm = Layers.Varied(shape);
        NormContext<float> context = new();
        void Run(int calls)
        {
            for (int i = 0; i < calls; i++)
            {
                norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                norm.Backward(y.AsReadOnlyTensorSpan(), x.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
            }
        }

        Run(1000);
        (int threads, long memory) = Footprint();
        Run(20_000);
        (int threadsAfter, long memoryAfter) = Footprint();

        // The runtime has threads and memory of its own to start and to grow; a leak per call would be far above this.
        Assert.IsLessThanOrEqualTo(threads + 8, threadsAfter, "threads of the process");
        Assert.IsLessThanOrEqualTo(memory + (16 << 20), memoryAfter, "bytes of the process");
    }

    /// <summary>Each .NET thread that brings a large tensor gets helpers; they must go when it goes.</summary>
    [TestMethod]
    public void CallersThatEnd_TakeTheirHelpersWithThem()
    {
        int[] shape = [4, 8, 96, 80];
        Tensor<float> x = Tensors.Random(1, shape);
        void Call()
        {
            BatchNorm<float> norm = Layers.Varied(shape);
            norm.MaxThreads = 4;
            norm.Forward(x);
        }

        Call();
        int before = Footprint().Threads;
        for (int i = 0; i < 40; i++)
        {
            Thread caller = new(Call);
            caller.Start();
            caller.Join();
        }

        // 120 helpers have come. The last of them may still be on their way out.
        Assert.IsTrue(
            SpinWait.SpinUntil(() => Footprint().Threads <= before + 16, TimeSpan.FromSeconds(10)),
            $"{Footprint().Threads} threads, {before} before");
    }

    private static Tensor<float>[] Inputs(int[] shape, int seed) =>
        [.. Enumerable.Range(seed, Callers).Select(s => Tensors.Random((ulong)s, shape))];

    // All start together; the first failure of any is the failure of the test.
    private static void OnManyThreads(Action<int> body)
    {
        using Barrier start = new(Callers);
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, Callers).Select(caller => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                body(caller);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.IsNull(failure, $"{failure}");
    }

    private static (int Threads, long Memory) Footprint()
    {
        using Process process = Process.GetCurrentProcess();
        return (process.Threads.Count, process.WorkingSet64);
    }
}
