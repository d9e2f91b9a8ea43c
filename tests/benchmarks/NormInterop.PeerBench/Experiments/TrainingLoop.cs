using System.Numerics.Tensors;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What both loops read, and what the one on spans writes: tensors that a program made once.</summary>
internal sealed class TrainingMemory
{
    private readonly nint[] _lengths;

    public unsafe TrainingMemory(Case entry)
    {
        _lengths = [.. entry.Shape.Lengths.Select(length => (nint)length)];
        using SharedBuffers values = new([entry]);
        values.Fill(entry);
        X = Copy(values.X);
        OutputGradient = Copy(values.OutputGradient);
        Y = Tensor.CreateFromShape<float>(_lengths);
        InputGradient = Tensor.CreateFromShape<float>(_lengths);

        Tensor<float> Copy(byte* from) => Tensor.Create(SharedBuffers.Span<float>(from, entry.Elements).ToArray(), _lengths);
    }

    public Tensor<float> X { get; }

    public Tensor<float> OutputGradient { get; }

    public Tensor<float> Y { get; }

    public Tensor<float> InputGradient { get; }
}

/// <summary>A layer that learns from the same batch again and again.</summary>
internal abstract class TrainingLoop(Case entry, TrainingMemory memory)
{
    protected TrainingMemory Memory => memory;

    protected BatchNorm<float> Module { get; } = entry.Shape.Rank switch
    {
        2 or 3 => new BatchNorm1d<float>(entry.Parameters, Case.Eps, Case.Momentum),
        4 => new BatchNorm2d<float>(entry.Parameters, Case.Eps, Case.Momentum),
        _ => new BatchNorm3d<float>(entry.Parameters, Case.Eps, Case.Momentum),
    };

    public void Run(int iterations)
    {
        for (int i = 0; i < iterations; i++)
            Iterate();
    }

    protected abstract void Iterate();
}

/// <summary>Into memory that is there.</summary>
internal sealed class SpanTraining(Case entry, TrainingMemory memory) : TrainingLoop(entry, memory)
{
    private readonly NormContext<float> _context = new();

    protected override void Iterate()
    {
        ReadOnlyTensorSpan<float> x = Memory.X.AsReadOnlyTensorSpan();
        Module.Forward(x, Memory.Y.AsTensorSpan(), _context);
        Module.Backward(Memory.OutputGradient.AsReadOnlyTensorSpan(), x, Memory.InputGradient.AsTensorSpan(), _context);
    }
}

/// <summary>Into new tensors.</summary>
/// <param name="entry">The layer and its input.</param>
/// <param name="memory">The input.</param>
/// <param name="kept">The results of how many iterations are kept.</param>
internal sealed class TensorTraining(Case entry, TrainingMemory memory, int kept) : TrainingLoop(entry, memory)
{
    private readonly Queue<(Tensor<float> Y, Tensor<float> InputGradient)> _results = new();

    protected override void Iterate()
    {
        Tensor<float> y = Module.Forward(Memory.X);
        Tensor<float> dx = Module.Backward(Memory.OutputGradient);
        if (kept == 0)
            return;
        _results.Enqueue((y, dx));
        if (_results.Count > kept)
            _results.Dequeue();
    }
}
