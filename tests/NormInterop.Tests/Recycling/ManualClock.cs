namespace NormInterop.Tests.Recycling;

/// <summary>Time that passes when a test says so.</summary>
internal sealed class ManualClock : TimeProvider
{
    private long _now = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    internal void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
}
