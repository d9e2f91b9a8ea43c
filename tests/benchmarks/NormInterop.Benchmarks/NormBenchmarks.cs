using System.Globalization;
using BenchmarkDotNet.Attributes;

namespace NormInterop.Benchmarks;

/// <summary>What the tables have in common: the reference and the library on one case. The classes below say which cases.</summary>
public abstract class NormBenchmarks
{
    private readonly int _calls;
    private NormCase _case = null!;

    private protected NormBenchmarks(int calls) => _calls = calls;

    /// <summary>Lengths of the input, as text: a value that needs no source to be made again in the process that runs it.</summary>
    public abstract string Shape { get; set; }

    /// <summary>What is timed.</summary>
    public abstract Pass Pass { get; set; }

    /// <summary>Makes the buffers.</summary>
    /// <param name="lengths">Of the input.</param>
    /// <param name="calls">Passes between two calls of <see cref="NormCase.PrepareNative"/>.</param>
    private protected abstract NormCase Create(int[] lengths, int calls);

    /// <summary>Has everything compiled in its final form, then makes the buffers.</summary>
    [GlobalSetup]
    public void Setup()
    {
        int[] lengths = [.. Shape.Split(',').Select(length => int.Parse(length, CultureInfo.InvariantCulture))];
        SettleCompiler(lengths.Length == 4 ? [4, 64, 8, 8] : [8, 256]);
        _case = Create(lengths, _calls);
    }

    /// <summary>Runs before every measurement, which is of one invocation.</summary>
    [IterationSetup(Target = "Native")]
    public void PrepareNative() => _case.PrepareNative();

    private protected void RunReference()
    {
        for (int i = 0; i < _calls; i++)
            _case.Reference();
    }

    private protected void RunNative()
    {
        for (int i = 0; i < _calls; i++)
            _case.Native(i);
    }

    // The reference is a few hot loops. In a method that was called only a few times, as with a large tensor, they run in code that the
    // compiler swapped in halfway through a loop, with another speed than what it makes, in the end, of a method that is called often.
    // Which of the two a measurement would meet is a matter of timing. So all methods are called often first, on a small shape, with
    // pauses for the compiler, which waits until no new method has come up for 100 ms and then works in the background.
    private void SettleCompiler(int[] smallLengths)
    {
        const int Rounds = 4;
        const int CallsPerRound = 100;
        NormCase small = Create(smallLengths, CallsPerRound);
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

/// <summary>Shapes of a millisecond and more: one call makes one measurement.</summary>
public abstract class LargeBenchmarks() : NormBenchmarks(1)
{
    /// <summary>The plain loops of NormInterop.Reference, on one thread.</summary>
    [Benchmark(Baseline = true)]
    public void Reference() => RunReference();

    /// <summary>The span forms of the module.</summary>
    [Benchmark]
    public void Native() => RunNative();
}

/// <summary>Shapes of microseconds, where the cost of a call shows: many calls make one measurement.</summary>
public abstract class SmallBenchmarks() : NormBenchmarks(CallsPerInvoke)
{
    private const int CallsPerInvoke = 256;

    /// <summary>The plain loops of NormInterop.Reference, on one thread.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = CallsPerInvoke)]
    public void Reference() => RunReference();

    /// <summary>The span forms of the module.</summary>
    [Benchmark(OperationsPerInvoke = CallsPerInvoke)]
    public void Native() => RunNative();
}

/// <summary>Shapes of less than a microsecond.</summary>
public abstract class TinyBenchmarks() : NormBenchmarks(CallsPerInvoke)
{
    private const int CallsPerInvoke = 4096;

    /// <summary>The plain loops of NormInterop.Reference, on one thread.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = CallsPerInvoke)]
    public void Reference() => RunReference();

    /// <summary>The span forms of the module.</summary>
    [Benchmark(OperationsPerInvoke = CallsPerInvoke)]
    public void Native() => RunNative();
}
