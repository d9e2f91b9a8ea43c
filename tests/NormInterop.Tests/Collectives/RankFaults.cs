using System.Diagnostics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Collectives;

/// <summary>
/// Two layers, a training step that goes well, and a second one in which a rank goes wrong, in the forward or in the backward of the first
/// layer. Every rank that lives says what it was told, whether anything has changed, how long it took, and whether the group still works.
/// </summary>
internal sealed class RankFaults
{
    internal const string Stall = "stall";
    internal const string Kill = "kill";
    internal const string Leave = "leave";
    internal const string Channels = "channels";
    internal const string Order = "order";
    internal const string Kind = "kind";
    internal const string Forward = "forward";
    internal const string Backward = "backward";

    /// <summary>The rank that goes wrong.</summary>
    internal const int Culprit = 1;

    private const int FewChannels = 4;

    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>For a machine that is busy with something else.</summary>
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(4);

    private readonly FaultyCollective _group;
    private readonly SyncBatchNorm<float>[] _layers;
    private readonly bool _wrong;
    private readonly string _fault, _place;
    private readonly Tensor<float> _x, _y, _dx;
    private readonly NormContext<float>[] _contexts = [new(), new()];

    private RankFaults(ICollective group, string fault, string place)
    {
        _group = new FaultyCollective(group);
        (_fault, _place) = (fault, place);
        _wrong = group.Rank == Culprit;
        int channels = _wrong && fault == Channels ? FewChannels + 1 : FewChannels;
        _layers = [new(channels, _group), new(channels, _group)];
        int[] shape = [3, channels, 2];
        (_x, _y, _dx) = (Tensors.Random(5, shape), Tensors.Poisoned(shape), Tensors.Poisoned(shape));
    }

    /// <summary>What a rank says of an exception: the failure, the ranks that are to blame, and the operation.</summary>
    internal static string Describe(CollectiveException e) => $"{e.Failure} {string.Join('+', e.Ranks)} in {e.Operation}";

    /// <summary>
    /// A step in a group with all the time it needs: what follows is not to wait for the compiler, nor for processes that start.
    /// </summary>
    internal static void WarmUp(ICollective group)
    {
        RankFaults rank = new(group, "", Forward);
        rank.GoodStep();
        group.Barrier("start");
    }

    /// <summary>Runs the scenario on one rank.</summary>
    internal static IEnumerable<string> Run<TGroup>(TGroup group, string fault, string place)
        where TGroup : ICollective, IDisposable
    {
        RankFaults rank = new(group, fault, place);
        if (fault != Channels)
            rank.GoodStep();
        return rank.BadStep(group);
    }

    private void GoodStep()
    {
        foreach (int i in (int[])[0, 1])
            ForwardOf(i);
        foreach (int i in (int[])[1, 0])
            BackwardOf(i);
    }

    private IEnumerable<string> BadStep<TGroup>(TGroup group)
        where TGroup : ICollective, IDisposable
    {
        int first = _wrong && _fault == Order ? 1 : 0;
        if (_place == Backward)
        {
            ForwardOf(0);
            ForwardOf(1);
        }

        _y.Fill(Tensors.Poison);
        _dx.Fill(Tensors.Poison);
        string before = State();
        if (_wrong)
            _group.Before = _ => Misbehave(group);
        Stopwatch watch = Stopwatch.StartNew();
        yield return Try(() =>
        {
            if (_place == Forward)
                ForwardOf(first);
            else
                BackwardOf(first);
        });
        TimeSpan time = watch.Elapsed;
        _group.Before = _ => { };
        yield return State() == before ? "unchanged" : "changed";
        yield return _wrong || time <= Limit + s_slack ? "in time" : $"after {time.TotalSeconds:F1} s";
        yield return $"then {Try(() => group.Barrier("barrier"))}";
    }

    /// <summary>Called between this rank's own part of the work and its message, when the others wait already.</summary>
    private void Misbehave<TGroup>(TGroup group)
        where TGroup : ICollective, IDisposable
    {
        switch (_fault)
        {
            case Stall:
                Thread.Sleep(2 * Limit);
                break;
            case Kill:
                using (Process self = Process.GetCurrentProcess())
                    self.Kill();
                break;
            case Leave:
                group.Dispose();
                break;
            case Kind:
                _group.Before = _ => { };
                group.AllReduce(new float[3], "something else");
                break;
        }
    }

    private static string Try(Action action)
    {
        try
        {
            action();
            return "works";
        }
        catch (CollectiveException e)
        {
            return Describe(e);
        }
        catch (ObjectDisposedException)
        {
            return "disposed";
        }
    }

    private void ForwardOf(int layer) => _layers[layer].Forward(_x.AsReadOnlyTensorSpan(), _y.AsTensorSpan(), _contexts[layer]);

    private void BackwardOf(int layer) => _layers[layer].Backward(
        _x.AsReadOnlyTensorSpan(), _x.AsReadOnlyTensorSpan(), _dx.AsTensorSpan(), _contexts[layer]);

    /// <summary>All that a failed call must leave alone, to the bit: buffers, gradients, counters, contexts, outputs.</summary>
    private string State()
    {
        var numbers = _layers
            .SelectMany(l => (Tensor<float>[])[l.RunningMean!, l.RunningVar!, l.Weight!.Gradient, l.Bias!.Gradient])
            .Append(_y)
            .Append(_dx)
            .SelectMany(Tensors.Flat)
            .Select(BitConverter.SingleToInt32Bits);
        return $"{string.Join(' ', numbers)}; {string.Join(' ', _layers.Select(l => l.NumBatchesTracked))}; "
            + $"{string.Join(' ', _contexts.Select(c => c.IsPending))}";
    }
}
