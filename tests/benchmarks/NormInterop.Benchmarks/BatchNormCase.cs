using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using NormInterop.Reference;

namespace NormInterop.Benchmarks;

/// <summary>What is timed.</summary>
public enum Pass
{
    /// <summary>Forward with the statistics of the batch, which update the running buffers.</summary>
    ForwardTraining,

    /// <summary>Forward with the running statistics.</summary>
    ForwardInference,

    /// <summary>Backward of the training forward: input, weight and bias gradients.</summary>
    Backward,
}

/// <summary>One shape of BatchNorm2d, by the library and by the reference: the same memory for both, (N, C, H, W), contiguous.</summary>
internal sealed class BatchNormCase
{
    private const double Eps = 1e-5;
    private const double Momentum = 0.1;

    private readonly ChannelTensorShape _shape;
    private readonly Pass _pass;
    private readonly Memory<float> _x;
    private readonly Memory<float> _dy;
    private readonly Memory<float> _result;

    private readonly Tensor<float> _xTensor;
    private readonly Tensor<float> _dyTensor;
    private readonly Tensor<float> _resultTensor;
    private readonly BatchNorm2d<float> _module;
    private readonly NormContext<float>[] _contexts;

    private readonly float[] _weight;
    private readonly float[] _bias;
    private readonly float[] _dweight;
    private readonly float[] _dbias;
    private readonly float[] _runningMean;
    private readonly float[] _runningVar;
    private readonly double[] _savedMean;
    private readonly double[] _savedInvstd;

    /// <summary>Makes the buffers and runs one forward, so that either implementation is ready for the pass.</summary>
    /// <param name="shape">"N,C,H,W".</param>
    /// <param name="pass">What the calls run.</param>
    /// <param name="calls">Passes between two calls of <see cref="PrepareNative"/>.</param>
    public BatchNormCase(string shape, Pass pass, int calls)
    {
        nint[] lengths = [.. shape.Split(',').Select(l => nint.Parse(l, CultureInfo.InvariantCulture))];
        int channels = (int)lengths[1];
        _shape = new ChannelTensorShape((int)lengths[0], channels, (int)(lengths[2] * lengths[3]));
        _pass = pass;

        (float[] memory, int[] starts) = Place(_shape.Count, 3);
        Memory<float> Buffer(int i) => memory.AsMemory(starts[i], _shape.Count);
        Tensor<float> View(int i) => Tensor.Create(memory, starts[i], lengths, []);
        (_x, _dy, _result) = (Buffer(0), Buffer(1), Buffer(2));
        (_xTensor, _dyTensor, _resultTensor) = (View(0), View(1), View(2));
        Random random = new(1);
        FillUniform(random, _x.Span);
        FillUniform(random, _dy.Span);

        (_weight, _bias) = (Filled(channels, 1), new float[channels]);
        (_dweight, _dbias) = (new float[channels], new float[channels]);
        (_runningMean, _runningVar) = (new float[channels], Filled(channels, 1));
        (_savedMean, _savedInvstd) = (new double[channels], new double[channels]);

        _module = new BatchNorm2d<float>(channels, Eps, Momentum);
        _module.Train(pass != Pass.ForwardInference);

        // A context serves one backward per forward. To time backward passes alone, as many contexts wait as there will be calls.
        _contexts = [.. Enumerable.Range(0, pass == Pass.Backward ? calls : 1).Select(_ => new NormContext<float>())];
        PrepareNative();
        ReferenceForwardTraining();
    }

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
            case Pass.ForwardTraining:
                _module.Forward<float>(_xTensor, _resultTensor, _contexts[0]);
                break;
            case Pass.ForwardInference:
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
            case Pass.ForwardTraining:
                ReferenceForwardTraining();
                break;
            case Pass.ForwardInference:
                ReferenceBatchNorm.ForwardInference(
                    _shape, _x.Span, _weight, _bias, Eps, _runningMean, _runningVar, _result.Span);
                break;
            default:
                ReferenceBatchNorm.BackwardTraining(
                    _shape, _dy.Span, _x.Span, _weight, _savedMean, _savedInvstd, _result.Span, _dweight, _dbias);
                break;
        }
    }

    private void ReferenceForwardTraining() => ReferenceBatchNorm.ForwardTraining(
        _shape, _x.Span, _weight, _bias, Eps, Momentum, _runningMean, _runningVar, _savedMean, _savedInvstd, _result.Span);

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

    private static float[] Filled(int count, float value)
    {
        float[] values = new float[count];
        Array.Fill(values, value);
        return values;
    }
}
