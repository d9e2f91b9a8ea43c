using BenchmarkDotNet.Attributes;

namespace NormInterop.Benchmarks;

/// <summary>The four normalized shapes of ResNet-50 at batch 32: too large for any cache, 10 ms and more for a pass.</summary>
public class BatchNormLarge : BatchNormBenchmarks
{
    /// <summary>N,C,H,W.</summary>
    [Params("32,64,112,112", "32,256,56,56", "32,512,28,28", "32,2048,7,7")]
    public override string Shape { get; set; } = "";

    private protected override int Calls => 1;

    /// <summary>The plain loops of NormInterop.Reference, on one thread.</summary>
    [Benchmark(Baseline = true)]
    public void Reference() => RunReference();

    /// <summary>The span forms of the module.</summary>
    [Benchmark]
    public void Native() => RunNative();
}

/// <summary>Shapes of microseconds, where the cost of a call shows: many calls make one measurement.</summary>
public class BatchNormSmall : BatchNormBenchmarks
{
    private const int CallsPerInvoke = 256;

    /// <summary>N,C,H,W.</summary>
    [Params("1,64,56,56", "8,16,32,32", "8,64,4,4")]
    public override string Shape { get; set; } = "";

    private protected override int Calls => CallsPerInvoke;

    /// <summary>The plain loops of NormInterop.Reference, on one thread.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = CallsPerInvoke)]
    public void Reference() => RunReference();

    /// <summary>The span forms of the module.</summary>
    [Benchmark(OperationsPerInvoke = CallsPerInvoke)]
    public void Native() => RunNative();
}

/// <summary>What both have in common; they differ in the constant that an attribute must carry.</summary>
public abstract class BatchNormBenchmarks
{
    private BatchNormCase _case = null!;

    /// <summary>N,C,H,W, as text: a value that needs no source to be made again in the process that runs it.</summary>
    public abstract string Shape { get; set; }

    /// <summary>What is timed.</summary>
    [ParamsAllValues]
    public Pass Pass { get; set; }

    private protected abstract int Calls { get; }

    /// <summary>Has everything compiled in its final form, then makes the buffers.</summary>
    [GlobalSetup]
    public void Setup()
    {
        SettleCompiler(Pass);
        _case = new BatchNormCase(Shape, Pass, Calls);
    }

    /// <summary>Runs before every measurement, which is of one invocation.</summary>
    [IterationSetup(Target = "Native")]
    public void PrepareNative() => _case.PrepareNative();

    private protected void RunReference()
    {
        for (int i = 0; i < Calls; i++)
            _case.Reference();
    }

    private protected void RunNative()
    {
        for (int i = 0; i < Calls; i++)
            _case.Native(i);
    }

    // The reference is a few hot loops. In a method that was called only a few times, as with a large tensor, they run in code that the
    // compiler swapped in halfway through a loop, with another speed than what it makes, in the end, of a method that is called often.
    // Which of the two a measurement would meet is a matter of timing. So all methods are called often first, on a small shape, with
    // pauses for the compiler, which waits until no new method has come up for 100 ms and then works in the background.
    private static void SettleCompiler(Pass pass)
    {
        const int Rounds = 4;
        const int CallsPerRound = 100;
        BatchNormCase small = new("4,8,16,16", pass, CallsPerRound);
        for (int round = 0; round < Rounds; round++)
        {
            small.PrepareNative();
            for (int i = 0; i < CallsPerRound; i++)
            {
                small.Native(i);
                small.Reference();
            }

            Thread.Sleep(150);
        }
    }
}
