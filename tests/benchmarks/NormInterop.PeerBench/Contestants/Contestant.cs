namespace NormInterop.PeerBench.Contestants;

/// <summary>Who is timed on a case. All calls come from one thread, and results go to the buffers that all share.</summary>
internal abstract class Contestant(string name) : IDisposable
{
    /// <summary>As the reports name it.</summary>
    public string Name { get; } = name;

    /// <summary>What does the work, in the contestant's own words.</summary>
    public virtual string Implementation => "";

    /// <summary>Sets running buffers and gradients that are the contestant's own to what the shared ones are at first.</summary>
    public virtual void Reset()
    {
    }

    /// <summary>What the next calls need that is not theirs to do. Not for the clock.</summary>
    /// <param name="calls">How many calls follow at most.</param>
    public virtual void Prepare(int calls)
    {
    }

    /// <summary>Runs the pass.</summary>
    /// <param name="calls">How often.</param>
    public abstract void Run(int calls);

    /// <summary>Brings results that are elsewhere into the shared buffers.</summary>
    public virtual void Collect()
    {
    }

    public virtual void Dispose()
    {
    }
}
