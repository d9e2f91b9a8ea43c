using System.Diagnostics;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Experiments;

/// <summary>Something that is done again and again on a thread of its own.</summary>
internal interface IWork : IDisposable
{
    void Do();
}

/// <summary>A call of the library: a module, a context and buffers that nobody else has.</summary>
internal sealed class CallWork : IWork
{
    private readonly SharedBuffers _buffers;
    private readonly Contestant _contestant;

    public CallWork(Case entry)
    {
        _buffers = new([entry]);
        _buffers.Fill(entry);
        _buffers.ResetResults(entry);
        _contestant = ManagedApi.Create(ManagedApi.Name, entry, _buffers);
    }

    public void Do() => _contestant.Run(1);

    public void Dispose()
    {
        _contestant.Dispose();
        _buffers.Dispose();
    }
}

/// <summary>A loop that needs nothing but a processor: what it takes longer beside others is the scheduler's doing.</summary>
internal sealed class PlainWork(double seconds) : IWork
{
    private readonly long _steps = (long)(seconds * StepsPerSecond.Value);
    private ulong _state = 1;

    // The fastest of some: a disturbance makes a measurement longer, and nothing makes it shorter.
    private static readonly Lazy<double> StepsPerSecond = new(() =>
    {
        const int Measurements = 200;
        const int Steps = 100_000;
        double fastest = double.PositiveInfinity;
        ulong state = 1;
        for (int i = 0; i < Measurements; i++)
        {
            long start = Stopwatch.GetTimestamp();
            state = Walk(state, Steps);
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return state == 0 ? double.NaN : Steps / fastest;
    });

    public void Do() => _state = Walk(_state, _steps);

    public void Dispose()
    {
    }

    // xorshift64 (Marsaglia 2003): each step needs the one before, and the state never becomes 0.
    private static ulong Walk(ulong state, long steps)
    {
        for (long i = 0; i < steps; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }

        return state;
    }
}
