using System.Diagnostics;

namespace NormInterop.PeerBench.Experiments;

/// <summary>What some callers did together.</summary>
/// <param name="PerSecond">Calls of all.</param>
/// <param name="Latencies">Seconds of single calls, if they were asked for.</param>
/// <param name="During">The process while they were at it.</param>
/// <param name="Fairness">Calls of the slowest caller as a share of those of the fastest.</param>
internal sealed record CallersResult(double PerSecond, double[] Latencies, ProcessFacts During, double Fairness);

/// <summary>Callers that begin together and stop together, each on a thread that the system knows by no other work.</summary>
internal sealed class Callers(IReadOnlyList<IWork> works) : IDisposable
{
    private readonly Barrier _start = new(works.Count + 1);
    private readonly long[] _calls = new long[works.Count];
    private readonly long[][] _ticks = new long[works.Count][];
    private volatile bool _stop;

    /// <summary>Has all of them call for a while.</summary>
    /// <param name="works">What each of them does.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="samples">How many single calls of each are timed at most.</param>
    public static CallersResult Run(IReadOnlyList<IWork> works, double seconds, int samples = 0)
    {
        using Callers callers = new(works);
        return callers.Run(seconds, samples);
    }

    public void Dispose() => _start.Dispose();

    private CallersResult Run(double seconds, int samples)
    {
        Thread[] threads = [.. Enumerable.Range(0, works.Count).Select(index => new Thread(() => Call(index, samples)))];
        foreach (Thread thread in threads)
            thread.Start();
        _start.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(TimeSpan.FromSeconds(seconds / 2));
        ProcessFacts during = ProcessFacts.Now();
        double left = seconds - Stopwatch.GetElapsedTime(start).TotalSeconds;
        Thread.Sleep(TimeSpan.FromSeconds(Math.Max(0, left)));
        _stop = true;
        foreach (Thread thread in threads)
            thread.Join();
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double[] latencies = [.. Enumerable.Range(0, works.Count).SelectMany(Latencies)];
        return new(_calls.Sum() / elapsed, latencies, during, (double)_calls.Min() / _calls.Max());
    }

    private void Call(int index, int samples)
    {
        IWork work = works[index];
        long[] ticks = _ticks[index] = new long[samples];
        long calls = 0;

        // Once before the clock starts: memory that a thread needs at first.
        work.Do();
        _start.SignalAndWait();
        long last = Stopwatch.GetTimestamp();
        while (!_stop)
        {
            work.Do();
            if (calls < samples)
            {
                long now = Stopwatch.GetTimestamp();
                ticks[calls] = now - last;
                last = now;
            }

            calls++;
        }

        _calls[index] = calls;
    }

    private IEnumerable<double> Latencies(int index) =>
        _ticks[index].Take((int)Math.Min(_calls[index], _ticks[index].Length)).Select(ticks => ticks / (double)Stopwatch.Frequency);
}
