namespace NormInterop;

/// <summary>
/// A group of ranks, numbered from 0, that compute together: processes (<see cref="MpiCollective"/>) or threads
/// (<see cref="LocalCollective"/>). One object is one rank's place in it, for one thread at a time.
/// </summary>
/// <remarks>
/// <para>Every rank calls the same operations in the same order, with the same number of values; no operation ends on a rank before all
/// have begun it. Results are the same on every rank, to the bit: sums are taken in the order of the ranks.</para>
/// <para>An operation never waits longer than <see cref="TimeLimit"/>. If a rank does not come, stops or leaves, or calls another
/// operation, the others throw a <see cref="CollectiveException"/> that names it, and what they were given to write to is unchanged. An
/// implementation of this interface has to keep that promise: layers rely on it.</para>
/// </remarks>
public interface ICollective
{
    /// <summary>This rank: 0 to <see cref="WorldSize"/> - 1.</summary>
    int Rank { get; }

    /// <summary>The number of ranks; at least 1.</summary>
    int WorldSize { get; }

    /// <summary>How long an operation waits for other ranks before it fails.</summary>
    TimeSpan TimeLimit { get; }

    /// <summary>Brings the values of every rank to every rank.</summary>
    /// <param name="values">This rank's values; as many on every rank.</param>
    /// <param name="gathered">Receives those of rank 0, then those of rank 1, and so on. May not share memory with the values.</param>
    /// <param name="operation">What this is, for messages; ranks that name it differently are in different operations.</param>
    /// <exception cref="ArgumentException">gathered is not <see cref="WorldSize"/> times as long as values.</exception>
    /// <exception cref="CollectiveException">Another rank did not take part.</exception>
    void AllGather(ReadOnlySpan<double> values, Span<double> gathered, string operation = "");

    /// <inheritdoc cref="AllGather(ReadOnlySpan{double}, Span{double}, string)"/>
    void AllGather(ReadOnlySpan<float> values, Span<float> gathered, string operation = "");

    /// <summary>Replaces values by their sums over all ranks, taken in the order of the ranks.</summary>
    /// <param name="values">This rank's values, as many on every rank; then the sums. Those of floats are rounded once.</param>
    /// <param name="operation">What this is, for messages; ranks that name it differently are in different operations.</param>
    /// <exception cref="CollectiveException">Another rank did not take part.</exception>
    void AllReduce(Span<double> values, string operation = "");

    /// <inheritdoc cref="AllReduce(Span{double}, string)"/>
    void AllReduce(Span<float> values, string operation = "");

    /// <summary>Returns when every rank has called it.</summary>
    /// <param name="operation">What this is, for messages; ranks that name it differently are in different operations.</param>
    /// <exception cref="CollectiveException">Another rank did not take part.</exception>
    void Barrier(string operation = "");
}
