using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Contestants;

/// <summary>NormInterop: the span forms of its modules, as a user calls them.</summary>
internal static class ManagedApi
{
    public const string Name = "NormInterop";

    /// <summary>Takes part where the data have 16 bits: the same case on float.</summary>
    public const string FloatName = "NormInterop, float";

    public static Contestant Create(string name, Case entry, SharedBuffers buffers) => entry.DataType switch
    {
        DataType.Float => new ManagedApi<float, float>(name, entry, buffers),
        DataType.Double => new ManagedApi<double, double>(name, entry, buffers),
        DataType.Half => new ManagedApi<Half, float>(name, entry, buffers),
        _ => new ManagedApi<BFloat16, float>(name, entry, buffers),
    };

    /// <summary>Of dense tensors: lengths stay in the order N, C, ...; the strides say whether the channels are innermost. A dimension of
    /// length 1 has stride 0, as in System.Numerics.Tensors.</summary>
    public static nint[] Strides(nint[] lengths, Layout layout)
    {
        nint[] strides = new nint[lengths.Length];
        bool channelsLast = layout == Layout.ChannelsLast;
        nint stride = channelsLast ? lengths[1] : 1;
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            bool isChannel = channelsLast && i == 1;
            strides[i] = lengths[i] == 1 ? 0 : isChannel ? 1 : stride;
            stride *= isChannel ? 1 : lengths[i];
        }

        return strides;
    }
}

/// <summary><see cref="ManagedApi"/> for one type of data.</summary>
internal sealed unsafe class ManagedApi<TData, T> : Contestant
    where TData : unmanaged
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Case _case;
    private readonly SharedBuffers _buffers;
    private readonly NormModule<T> _module;
    private readonly nint[] _lengths;
    private readonly nint[] _strides;

    // A context serves one backward per forward. To time backward passes alone, as many wait as there will be calls.
    private readonly List<NormContext<T>> _contexts = [new()];
    private int _next;

    public ManagedApi(string name, Case entry, SharedBuffers buffers)
        : base(name)
    {
        (_case, _buffers) = (entry, buffers);
        _lengths = [.. entry.Shape.Lengths.Select(length => (nint)length)];
        _strides = ManagedApi.Strides(_lengths, entry.Layout);
        _module = Module(entry);
        _module.Train(!entry.Pass.UsesRunning());
        Copy(buffers.Weight, _module.Weight!.Value);
        if (_module.Bias is not null)
            Copy(buffers.Bias, _module.Bias.Value);
    }

    public override string Implementation => NormRuntime.ActiveIsa;

    public override void Reset()
    {
        _module.ZeroGradients();
        if (_module is not RunningNorm<T> { RunningMean: { } mean, RunningVar: { } var })
            return;
        Copy(_buffers.RunningMean, mean);
        Copy(_buffers.RunningVar, var);
    }

    public override void Prepare(int calls)
    {
        if (!_case.Pass.IsBackward())
            return;
        while (_contexts.Count < calls)
            _contexts.Add(new());
        for (_next = calls; _next > 0; _next--)
            _module.Forward(X, Out, _contexts[_next - 1]);
    }

    public override void Run(int calls)
    {
        ReadOnlyTensorSpan<TData> x = X;
        TensorSpan<TData> result = Out;
        switch (_case.Pass)
        {
            case Pass.Forward:
                for (int i = 0; i < calls; i++)
                    _module.Forward(x, result, _contexts[0]);
                break;
            case Pass.Inference:
                for (int i = 0; i < calls; i++)
                    _module.Forward(x, result);
                break;
            default:
                ReadOnlyTensorSpan<TData> outputGradient = new((TData*)_buffers.OutputGradient, _case.Elements, _lengths, _strides);
                for (int i = 0; i < calls; i++)
                    _module.Backward(outputGradient, x, result, _contexts[_next++]);
                break;
        }
    }

    public override void Collect()
    {
        Copy(_module.Weight!.Gradient, _buffers.WeightGradient);
        if (_module.Bias is not null)
            Copy(_module.Bias.Gradient, _buffers.BiasGradient);
        if (_module is not RunningNorm<T> { RunningMean: { } mean, RunningVar: { } var })
            return;
        Copy(mean, _buffers.RunningMean);
        Copy(var, _buffers.RunningVar);
    }

    private ReadOnlyTensorSpan<TData> X => new((TData*)_buffers.X, _case.Elements, _lengths, _strides);

    private TensorSpan<TData> Out => new((TData*)_buffers.Out, _case.Elements, _lengths, _strides);

    private static NormModule<T> Module(Case entry)
    {
        int parameters = entry.Parameters;
        return (entry.Family, entry.Shape.Rank) switch
        {
            (Family.BatchNorm, 2 or 3) => new BatchNorm1d<T>(parameters, Case.Eps, Case.Momentum),
            (Family.BatchNorm, 4) => new BatchNorm2d<T>(parameters, Case.Eps, Case.Momentum),
            (Family.BatchNorm, _) => new BatchNorm3d<T>(parameters, Case.Eps, Case.Momentum),
            (Family.LayerNorm, _) => new LayerNorm<T>([parameters], Case.Eps),
            (Family.RmsNorm, _) => new RMSNorm<T>([parameters], Case.Eps),
            (Family.GroupNorm, _) => new GroupNorm<T>(entry.Groups, parameters, Case.Eps),
            (_, 3) => new InstanceNorm1d<T>(parameters, Case.Eps, affine: true),
            (_, 4) => new InstanceNorm2d<T>(parameters, Case.Eps, affine: true),
            _ => new InstanceNorm3d<T>(parameters, Case.Eps, affine: true),
        };
    }

    private static void Copy(byte* from, Tensor<T> to) => new ReadOnlyTensorSpan<T>((T*)from, to.FlattenedLength).CopyTo(to);

    private static void Copy(Tensor<T> from, byte* to) => from.FlattenTo(new Span<T>(to, (int)from.FlattenedLength));
}
