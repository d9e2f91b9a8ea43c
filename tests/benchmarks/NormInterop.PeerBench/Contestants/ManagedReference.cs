using System.Numerics;
using NormInterop.PeerBench.Model;
using NormInterop.Reference;

namespace NormInterop.PeerBench.Contestants;

/// <summary>The plain loops of NormInterop.Reference, on one thread. They are there to be read, not to be fast.</summary>
internal static class ManagedReference
{
    public const string Name = "reference";

    public static Contestant Create(Case entry, SharedBuffers buffers) => entry.DataType switch
    {
        DataType.Float => new ManagedReference<float, float>(entry, buffers),
        DataType.Double => new ManagedReference<double, double>(entry, buffers),
        DataType.Half => new ManagedReference<Half, float>(entry, buffers),
        _ => new ManagedReference<BFloat16, float>(entry, buffers),
    };
}

/// <summary><see cref="ManagedReference"/> for one type of data. It wants parameters of that type.</summary>
internal sealed unsafe class ManagedReference<TData, T> : Contestant
    where TData : unmanaged, IBinaryFloatingPointIeee754<TData>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Case _case;
    private readonly SharedBuffers _buffers;
    private readonly TData[] _weight;
    private readonly TData[] _bias;
    private readonly TData[] _runningMean;
    private readonly TData[] _runningVar;
    private readonly TData[] _weightGradient;
    private readonly TData[] _biasGradient;
    private readonly double[] _savedMean;
    private readonly double[] _savedInvstd;

    public ManagedReference(Case entry, SharedBuffers buffers)
        : base(ManagedReference.Name)
    {
        (_case, _buffers) = (entry, buffers);
        int parameters = entry.Parameters;
        (_weight, _bias) = (new TData[parameters], new TData[parameters]);
        (_runningMean, _runningVar) = (new TData[parameters], new TData[parameters]);
        (_weightGradient, _biasGradient) = (new TData[parameters], new TData[parameters]);
        Convert(buffers.Weight, _weight);
        Convert(buffers.Bias, _bias);
        int statistics = entry.Family switch
        {
            Family.BatchNorm => parameters,
            Family.GroupNorm => entry.Shape.Lengths[0] * entry.Groups,
            Family.InstanceNorm => entry.Shape.Lengths[0] * parameters,
            _ => entry.Elements / parameters,
        };
        (_savedMean, _savedInvstd) = (new double[statistics], new double[statistics]);
        Reset();
        if (entry.Pass == Pass.Backward)
            Forward();
    }

    public override string Implementation => "plain C#, 1 thread";

    public override void Reset()
    {
        Convert(_buffers.RunningMean, _runningMean);
        Convert(_buffers.RunningVar, _runningVar);
    }

    public override void Run(int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            switch (_case.Pass)
            {
                case Pass.Forward:
                    Forward();
                    break;
                case Pass.Backward:
                    Backward();
                    break;
                case Pass.Inference:
                    ReferenceBatchNorm.ForwardInference(Tensor, X, _weight, _bias, Case.Eps, _runningMean, _runningVar, Out);
                    break;
                default:
                    ReferenceBatchNorm.BackwardInference(
                        Tensor, OutputGradient, X, _weight, Case.Eps, _runningMean, _runningVar, Out, _weightGradient, _biasGradient);
                    break;
            }
        }
    }

    public override void Collect()
    {
        Convert(_weightGradient, _buffers.WeightGradient);
        Convert(_biasGradient, _buffers.BiasGradient);
        Convert(_runningMean, _buffers.RunningMean);
        Convert(_runningVar, _buffers.RunningVar);
    }

    private ReadOnlySpan<TData> X => new(_buffers.X, _case.Elements);

    private ReadOnlySpan<TData> OutputGradient => new(_buffers.OutputGradient, _case.Elements);

    private Span<TData> Out => new(_buffers.Out, _case.Elements);

    private ChannelTensorShape Tensor
    {
        get
        {
            Shape shape = _case.Shape;
            return new(shape.Lengths[0], shape.Lengths[1], (int)shape.Product(2, shape.Rank), _case.Layout == Layout.ChannelsLast);
        }
    }

    private void Forward()
    {
        switch (_case.Family)
        {
            case Family.BatchNorm:
                ReferenceBatchNorm.ForwardTraining(
                    Tensor, X, _weight, _bias, Case.Eps, Case.Momentum, _runningMean, _runningVar, _savedMean, _savedInvstd, Out);
                break;
            case Family.LayerNorm:
                ReferenceLayerNorm.Forward(_weight.Length, X, _weight, _bias, Case.Eps, _savedMean, _savedInvstd, Out);
                break;
            case Family.RmsNorm:
                ReferenceRmsNorm.Forward(_weight.Length, X, _weight, Case.Eps, _savedInvstd, Out);
                break;
            default:
                ReferenceGroupNorm.Forward(Tensor, Groups, X, _weight, _bias, Case.Eps, _savedMean, _savedInvstd, Out);
                break;
        }
    }

    private void Backward()
    {
        switch (_case.Family)
        {
            case Family.BatchNorm:
                ReferenceBatchNorm.BackwardTraining(
                    Tensor, OutputGradient, X, _weight, _savedMean, _savedInvstd, Out, _weightGradient, _biasGradient);
                break;
            case Family.LayerNorm:
                ReferenceLayerNorm.Backward(
                    _weight.Length, OutputGradient, X, _weight, _savedMean, _savedInvstd, Out, _weightGradient, _biasGradient);
                break;
            case Family.RmsNorm:
                ReferenceRmsNorm.Backward(_weight.Length, OutputGradient, X, _weight, _savedInvstd, Out, _weightGradient);
                break;
            default:
                ReferenceGroupNorm.Backward(
                    Tensor, Groups, OutputGradient, X, _weight, _savedMean, _savedInvstd, Out, _weightGradient, _biasGradient);
                break;
        }
    }

    // InstanceNorm has one channel per group.
    private int Groups => _case.Family == Family.InstanceNorm ? _weight.Length : _case.Groups;

    private static void Convert(byte* from, TData[] to)
    {
        for (int i = 0; i < to.Length; i++)
            to[i] = TData.CreateTruncating(((T*)from)[i]);
    }

    private static void Convert(TData[] from, byte* to)
    {
        for (int i = 0; i < from.Length; i++)
            ((T*)to)[i] = T.CreateTruncating(from[i]);
    }
}
