using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Experiments;

/// <summary>A pass of BatchNorm2d with ReLU, in one call or in steps, on float.</summary>
/// <remarks>The steps of ReLU are shared by as many threads as the library's calls. In the forward they work in place, which moves the
/// fewest bytes: y is read and written once more. In the backward, y says which elements of dy pass.</remarks>
internal sealed unsafe class ActivatedNorm : Contestant
{
    private readonly Case _case;
    private readonly SharedBuffers _buffers;
    private readonly bool _hasResidual;
    private readonly bool _isFused;
    private readonly BatchNorm2d<float> _module;
    private readonly nint[] _lengths;
    private readonly nint[] _strides;
    private readonly float[] _residual;
    private readonly float[] _gradient;
    private readonly List<NormContext<float>> _contexts = [new()];
    private int _next;

    public ActivatedNorm(string name, Case entry, SharedBuffers buffers, bool hasResidual, bool isFused)
        : base(name)
    {
        (_case, _buffers, _hasResidual, _isFused) = (entry, buffers, hasResidual, isFused);
        _lengths = [.. entry.Shape.Lengths.Select(length => (nint)length)];
        _strides = ManagedApi.Strides(_lengths, entry.Layout);
        _module = new(entry.Parameters, Case.Eps, Case.Momentum) { Activation = isFused ? Activation.ReLU : Activation.None };
        _module.Train(!entry.Pass.UsesRunning());
        _residual = hasResidual ? SharedBuffers.Span<float>(buffers.OutputGradient, entry.Elements).ToArray() : [];
        _gradient = entry.Pass.IsBackward() && (hasResidual || !isFused) ? new float[entry.Elements] : [];
    }

    private ReadOnlyTensorSpan<float> X => new((float*)_buffers.X, _case.Elements, _lengths, _strides);

    private ReadOnlyTensorSpan<float> OutputGradient => new((float*)_buffers.OutputGradient, _case.Elements, _lengths, _strides);

    private TensorSpan<float> Out => new((float*)_buffers.Out, _case.Elements, _lengths, _strides);

    /// <summary>y, of which a backward in steps takes the sign.</summary>
    private TensorSpan<float> Y => new((float*)_buffers.Expected, _case.Elements, _lengths, _strides);

    public override void Prepare(int calls)
    {
        if (!_case.Pass.IsBackward())
            return;
        while (_contexts.Count < calls)
            _contexts.Add(new());
        for (_next = calls; _next > 0; _next--)
            Forward(Y, _contexts[_next - 1]);
    }

    public override void Run(int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            if (_case.Pass.IsBackward())
                Backward(_contexts[_next++]);
            else
                Forward(Out, _case.Pass == Pass.Inference ? null : _contexts[0]);
        }
    }

    private void Forward(in TensorSpan<float> output, NormContext<float>? context)
    {
        if (_isFused && _hasResidual)
            _module.Forward(X, Residual, output, context);
        else
            _module.Forward(X, output, context);
        if (_isFused)
            return;
        fixed (float* y = output)
        {
            nint start = (nint)y;
            InParts((begin, length) => Activate(new Span<float>((float*)start + begin, length), begin));
        }
    }

    private void Backward(NormContext<float> context)
    {
        if (!_isFused)
        {
            InParts((begin, length) => Gate(begin, length));
            _module.Backward(new ReadOnlyTensorSpan<float>(_gradient, _lengths, _strides), X, Out, context);
        }
        else if (_hasResidual)
        {
            _module.Backward(OutputGradient, X, Out, new TensorSpan<float>(_gradient, _lengths, _strides), context);
        }
        else
        {
            _module.Backward(OutputGradient, X, Out, context);
        }
    }

    private ReadOnlyTensorSpan<float> Residual => new(_residual, _lengths, _strides);

    private void Activate(Span<float> y, int begin)
    {
        ReadOnlySpan<float> residual = _hasResidual ? _residual.AsSpan(begin, y.Length) : default;
        int i = 0;
        for (; i + Vector<float>.Count <= y.Length; i += Vector<float>.Count)
        {
            Vector<float> z = new(y[i..]);
            if (_hasResidual)
                z += new Vector<float>(residual[i..]);
            Vector.Max(z, Vector<float>.Zero).CopyTo(y[i..]);
        }

        for (; i < y.Length; i++)
            y[i] = Math.Max(_hasResidual ? y[i] + residual[i] : y[i], 0);
    }

    private void Gate(int begin, int length)
    {
        ReadOnlySpan<float> y = SharedBuffers.Span<float>(_buffers.Expected, _case.Elements).Slice(begin, length);
        ReadOnlySpan<float> dy = SharedBuffers.Span<float>(_buffers.OutputGradient, _case.Elements).Slice(begin, length);
        Span<float> g = _gradient.AsSpan(begin, length);
        int i = 0;
        for (; i + Vector<float>.Count <= length; i += Vector<float>.Count)
        {
            Vector<int> passes = Vector.GreaterThan(new Vector<float>(y[i..]), Vector<float>.Zero);
            Vector.ConditionalSelect(passes, new Vector<float>(dy[i..]), Vector<float>.Zero).CopyTo(g[i..]);
        }

        for (; i < length; i++)
            g[i] = y[i] > 0 ? dy[i] : 0;
    }

    private void InParts(Action<int, int> part)
    {
        int threads = NormRuntime.ThreadLimit, length = (_case.Elements + threads - 1) / threads;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
        {
            int begin = Math.Min(thread * length, _case.Elements);
            part(begin, Math.Min(length, _case.Elements - begin));
        });
    }
}
