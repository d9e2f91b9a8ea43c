using System.Numerics.Tensors;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Experiments;

/// <summary>A BatchNorm1d in the forms that take and return tensors. A backward comes with its forward, as in training.</summary>
internal sealed class TensorForms : Contestant
{
    private readonly Pass _pass;
    private readonly BatchNorm1d<float> _module;
    private readonly Tensor<float> _x;
    private readonly Tensor<float> _dy;

    private TensorForms(string name, Case entry, Tensor<float> x, Tensor<float> dy)
        : base(name)
    {
        (_pass, _x, _dy) = (entry.Pass, x, dy);
        _module = new BatchNorm1d<float>(entry.Parameters, Case.Eps, Case.Momentum).Train(!entry.Pass.UsesRunning());
    }

    public static unsafe TensorForms Create(Case entry, SharedBuffers buffers)
    {
        string name = entry.Pass switch
        {
            Pass.Forward => "training forward, tensors",
            Pass.Inference => "evaluation forward, tensors",
            _ => "training forward and backward, tensors",
        };
        return new(name, entry, Copy(buffers.X, entry), Copy(buffers.OutputGradient, entry));
    }

    public override void Run(int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            _module.Forward(_x);
            if (_pass.IsBackward())
                _module.Backward(_dy);
        }
    }

    private static unsafe Tensor<float> Copy(byte* values, Case entry)
    {
        nint[] lengths = [.. entry.Shape.Lengths.Select(length => (nint)length)];
        return Tensor.Create(SharedBuffers.Span<float>(values, entry.Elements).ToArray(), lengths);
    }
}
