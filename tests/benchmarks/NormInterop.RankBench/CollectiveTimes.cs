using System.Diagnostics;

namespace NormInterop.RankBench;

/// <summary>What an operation takes by itself: the messages of a layer with so many channels.</summary>
internal sealed class CollectiveTimes
{
    public const string Forward = "AllGather 2C + 1";
    public const string Backward = "AllReduce 2C";

    /// <summary>Sizes from one that is all latency to one that is mostly bytes.</summary>
    public static readonly IReadOnlyList<int> Channels = [1, 16, 64, 256, 1024, 4096];

    private readonly MpiCollective _group;
    private readonly double[] _values = new double[(2 * Channels.Max()) + 1];
    private readonly double[] _gathered;
    private readonly Dictionary<(string Operation, int Channels), Rounds> _times = [];

    public CollectiveTimes(MpiCollective group)
    {
        _group = group;
        _gathered = new double[_values.Length * group.WorldSize];
    }

    /// <summary>All sizes in turns, so that a slow spell of the machine hits all alike.</summary>
    public void Run(int warmUp, int rounds)
    {
        foreach (int channels in Channels)
        {
            _times[(Forward, channels)] = new(_group, rounds);
            _times[(Backward, channels)] = new(_group, rounds);
        }

        for (int round = -warmUp; round < rounds; round++)
        {
            foreach (((string operation, int channels), Rounds times) in _times)
            {
                Array.Fill(_values, 1);
                double seconds = Time(operation, channels);
                if (round >= 0)
                    times[round] = seconds;
            }
        }

        foreach (Rounds times in _times.Values)
            times.Share(_group);
    }

    public Rounds Of(string operation, int channels) => _times[(operation, channels)];

    private double Time(string operation, int channels)
    {
        int values = 2 * channels;
        _group.Barrier();
        long start = Stopwatch.GetTimestamp();
        if (operation == Forward)
            _group.AllGather(_values.AsSpan(0, values + 1), _gathered.AsSpan(0, (values + 1) * _group.WorldSize));
        else
            _group.AllReduce(_values.AsSpan(0, values));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
