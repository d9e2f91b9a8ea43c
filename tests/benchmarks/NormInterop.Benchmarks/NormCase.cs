using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace NormInterop.Benchmarks;

/// <summary>What is timed.</summary>
public enum Pass
{
    /// <summary>Forward with statistics of the input; those of BatchNorm update the running buffers.</summary>
    Forward,

    /// <summary>Forward with the running statistics.</summary>
    Inference,

    /// <summary>Backward of <see cref="Forward"/>: gradients of input, weight and bias.</summary>
    Backward,
}

/// <summary>One shape of a layer, by the library and by the reference: the same memory for both, contiguous.</summary>
internal abstract class NormCase
{
    protected const double Eps = 1e-5;

    private readonly NormModule<float> _module;
    private readonly Pass _pass;
    private readonly Memory<float> _x;
    private readonly Memory<float> _dy;
    private readonly Memory<float> _result;
    private readonly Tensor<float> _xTensor;
    private readonly Tensor<float> _dyTensor;
    private readonly Tensor<float> _resultTensor;
    private readonly NormContext<float>[] _contexts;

    /// <summary>Makes the buffers.</summary>
    /// <param name="lengths">Of the input.</param>
    /// <param name="pass">What the calls run.</param>
    /// <param name="calls">Passes between two calls of <see cref="PrepareNative"/>.</param>
    /// <param name="module">The layer of the library.</param>
    /// <param name="parameters">Number of elements of the reference's weight, bias and their gradients.</param>
    /// <param name="statistics">Number of elements of what the reference saves for its backward.</param>
    protected NormCase(int[] lengths, Pass pass, int calls, NormModule<float> module, int parameters, int statistics)
    {
        _module = module;
        _module.Train(pass != Pass.Inference);
        _pass = pass;
        int count = lengths.Aggregate(1, (product, length) => checked(product * length));
        (float[] memory, int[] starts) = Place(count, 3);
        nint[] tensorLengths = [.. lengths];
        Memory<float> Buffer(int i) => memory.AsMemory(starts[i], count);
        Tensor<float> View(int i) => Tensor.Create(memory, starts[i], tensorLengths, []);
        (_x, _dy, _result) = (Buffer(0), Buffer(1), Buffer(2));
        (_xTensor, _dyTensor, _resultTensor) = (View(0), View(1), View(2));
        Random random = new(1);
        FillUniform(random, _x.Span);
        FillUniform(random, _dy.Span);

        (Weight, Bias) = (Filled(parameters, 1), new float[parameters]);
        (WeightGradient, BiasGradient) = (new float[parameters], new float[parameters]);
        (SavedMean, SavedInvstd) = (new double[statistics], new double[statistics]);

        // A context serves one backward per forward. To time backward passes alone, as many contexts wait as there will be calls.
        _contexts = [.. Enumerable.Range(0, pass == Pass.Backward ? calls : 1).Select(_ => new NormContext<float>())];
        PrepareNative();
    }

    protected ReadOnlySpan<float> X => _x.Span;

    protected ReadOnlySpan<float> OutputGradient => _dy.Span;

    protected Span<float> Result => _result.Span;

    protected float[] Weight { get; }

    protected float[] Bias { get; }

    protected float[] WeightGradient { get; }

    protected float[] BiasGradient { get; }

    protected double[] SavedMean { get; }

    protected double[] SavedInvstd { get; }

    /// <summary>Fills the contexts that <see cref="Native"/> will use up. Not for the clock.</summary>
    public void PrepareNative()
    {
        if (_pass != Pass.Backward)
            return;
        foreach (NormContext<float> context in _contexts)
            _module.Forward<float>(_xTensor, _resultTensor, context);
    }

    /// <summary>One pass through the module's span forms, as a user calls them.</summary>
    /// <param name="call">Number of the call since <see cref="PrepareNative"/>.</param>
    public void Native(int call)
    {
        switch (_pass)
        {
            case Pass.Forward:
                _module.Forward<float>(_xTensor, _resultTensor, _contexts[0]);
                break;
            case Pass.Inference:
                _module.Forward<float>(_xTensor, _resultTensor);
                break;
            default:
                _module.Backward<float>(_dyTensor, _xTensor, _resultTensor, _contexts[call]);
                break;
        }
    }

    /// <summary>One pass through the plain loops.</summary>
    public void Reference()
    {
        switch (_pass)
        {
            case Pass.Forward:
                ReferenceForward();
                break;
            case Pass.Inference:
                ReferenceInference();
                break;
            default:
                ReferenceBackward();
                break;
        }
    }

    /// <summary>From <see cref="X"/> to <see cref="Result"/>, with statistics of the input.</summary>
    protected abstract void ReferenceForward();

    /// <summary>The gradients of <see cref="ReferenceForward"/>, which has run.</summary>
    protected abstract void ReferenceBackward();

    /// <summary>With running statistics, where the layer has them.</summary>
    protected virtual void ReferenceInference() => throw new NotSupportedException($"{_module} has no running statistics.");

    protected static float[] Filled(int count, float value)
    {
        float[] values = new float[count];
        Array.Fill(values, value);
        return values;
    }

    // Where the tensors lie must not be left to chance. A load that has the last 12 bits of its address in common with a store shortly
    // before it waits for that store. Arrays of a power of two, one after another, are in that position for their whole length, which can
    // make a pass several times as slow. Here each begins a third of a page further into its page than the one before, and at a cache line.
    private static (float[] Memory, int[] Starts) Place(int count, int buffers)
    {
        const int Page = 4096 / sizeof(float);
        const int Line = 64 / sizeof(float);
        const int Shift = Page / 3 / Line * Line;
        int stride = ((count + Page - 1) / Page * Page) + Page + Shift;
        float[] memory = GC.AllocateArray<float>(Page + (buffers * stride), pinned: true);
        long address = Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0) / sizeof(float);
        int first = (int)(Page - (address % Page));
        return (memory, [.. Enumerable.Range(0, buffers).Select(i => first + (i * stride))]);
    }

    private static void FillUniform(Random random, Span<float> values)
    {
        foreach (ref float value in values)
            value = random.NextSingle() - 0.5f;
    }
}
