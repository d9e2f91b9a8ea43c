using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Recycling;

/// <summary>Many threads, many outputs, collections at any time: nobody finds his output changed, and memory stays bounded.</summary>
[TestClass]
public sealed class RecyclingStressTests
{
    private static readonly int[][] Shapes = [[1, 25_000], [2, 25_000], [3, 11_111], [2, 24_000], [5, 20_000]];

    [TestInitialize]
    public void Settle() => Collector.Settle();

    /// <summary>Every output gets a signature of its own at once, and still has it when it is dropped, some time later.</summary>
    [TestMethod]
    public void KeptOutputs_AreNeverHandedOut()
    {
        const int threads = 8;
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(4));
        int damaged = 0, checkedOutputs = 0;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
        {
            System.Random random = new(thread);
            Tensor<float>[] inputs = Array.ConvertAll(Shapes, shape => Tensors.Filled(shape, Form.Contiguous, 1f));
            (Tensor<float>? Output, float Signature)[] kept = new (Tensor<float>?, float)[12];
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                ref (Tensor<float>? Output, float Signature) place = ref kept[random.Next(kept.Length)];
                if (place.Output is not null)
                {
                    Interlocked.Increment(ref checkedOutputs);
                    if (!IsSigned(place.Output, place.Signature))
                        Interlocked.Increment(ref damaged);
                }

                Tensor<float> output = Outputs.Like(inputs[random.Next(inputs.Length)]);
                float signature = (thread * 1_000_000) + (i % 1_000_000);
                output.Fill(signature);
                place = random.Next(4) switch
                {
                    0 => default,
                    1 => (output.Slice([NRange.All, 1..]), signature),
                    _ => (output, signature),
                };
                if (random.Next(50) == 0)
                    GC.Collect(random.Next(3), GCCollectionMode.Forced, blocking: random.Next(2) == 0);
            }
        });
        Assert.AreEqual(0, damaged, $"outputs of {checkedOutputs} that have been written while they were in use");
        Assert.IsGreaterThan(100, checkedOutputs);
    }

    /// <summary>A program that keeps what it gets, as a deep network does on its way forward, is not collected all the time.</summary>
    [TestMethod]
    public void KeepingEverything_CausesFewCollections()
    {
        Tensor<float> input = Tensors.Filled([4, 25_000], Form.Contiguous, 1f);
        int Collections(long limit)
        {
            long before = NormRuntime.RecyclingLimit;
            NormRuntime.RecyclingLimit = limit;
            try
            {
                Collector.Run();
                int collections = GC.CollectionCount(GC.MaxGeneration);
                object[] kept = [.. Enumerable.Range(0, 400).Select(_ => Outputs.Like(input))];
                collections = GC.CollectionCount(GC.MaxGeneration) - collections;
                GC.KeepAlive(kept);
                return collections;
            }
            finally
            {
                NormRuntime.RecyclingLimit = before;
            }
        }

        int without = Collections(0), with = Collections(NormRuntime.RecyclingLimit);
        Assert.IsLessThanOrEqualTo(without + 16, with, $"full collections for 400 outputs; {without} without recycling");
    }

    /// <summary>Shapes that never come twice: what is kept has a bound.</summary>
    [TestMethod]
    public void ChangingShapes_StayBounded()
    {
        long limit = NormRuntime.RecyclingLimit;
        NormRuntime.RecyclingLimit = 30_000_000;
        try
        {
            long before = GC.GetTotalMemory(forceFullCollection: true);
            for (int i = 0; i < 600; i++)
            {
                Forward(new BatchNorm1d<float>(7), [2 + (i % 5), 7, 4000 + (37 * i)]);
                Assert.IsLessThanOrEqualTo(NormRuntime.RecyclingLimit, NormRuntime.RecycledBytes);
            }

            Collector.Run();
            Assert.IsLessThanOrEqualTo(NormRuntime.RecyclingLimit, NormRuntime.RecycledBytes);
            Assert.IsLessThan(60_000_000, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        finally
        {
            NormRuntime.RecyclingLimit = limit;
        }
    }

    [TestMethod]
    public void Limit0_SwitchesOff()
    {
        long limit = NormRuntime.RecyclingLimit;
        Assert.IsGreaterThan(0, limit, "on by default");
        BatchNorm1d<float> norm = new(100);
        Forward(norm, [10, 100, 50]);
        Collector.Run();
        Assert.IsGreaterThan(0, NormRuntime.RecycledBytes);
        NormRuntime.RecyclingLimit = 0;
        try
        {
            Assert.AreEqual(0, NormRuntime.RecycledBytes);
            Forward(norm, [10, 100, 50]);
            Collector.Run();
            Assert.AreEqual(0, NormRuntime.RecycledBytes);
        }
        finally
        {
            NormRuntime.RecyclingLimit = limit;
        }

        Assert.AreEqual(limit, NormRuntime.RecyclingLimit);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => NormRuntime.RecyclingLimit = -1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forward(BatchNorm1d<float> norm, nint[] lengths) => norm.Forward(Tensor.CreateFromShape<float>(lengths));

    private static bool IsSigned(Tensor<float> output, float signature) => !MemoryMarshal.CreateReadOnlySpan(
        ref output.AsTensorSpan().GetPinnableReference(), (int)output.FlattenedLength).ContainsAnyExcept(signature);
}
