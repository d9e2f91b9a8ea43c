namespace NormInterop;

/// <summary>Why an operation of an <see cref="ICollective"/> failed.</summary>
public enum CollectiveFailure
{
    /// <summary>Nothing is known.</summary>
    Unknown,

    /// <summary>A rank did not come to the operation within the time limit: it is dead, or busy with something else.</summary>
    Missing,

    /// <summary>A rank came to the operation, but stopped in the middle of it.</summary>
    Stopped,

    /// <summary>A rank has left the group: it was disposed of, or its program has ended.</summary>
    Left,

    /// <summary>All ranks take part, but what a rank has to send did not come within the time limit.</summary>
    Slow,

    /// <summary>
    /// A rank called another operation: another one in order, or with another number or type of values. The group can still be used.
    /// </summary>
    Mismatch,
}

/// <summary>
/// An operation of an <see cref="ICollective"/> failed because of other ranks, or of this one. Unless it is a
/// <see cref="CollectiveFailure.Mismatch"/>, the group cannot be used any longer: all later operations of all ranks fail the same way.
/// </summary>
public sealed class CollectiveException : Exception
{
    /// <summary>Makes an exception that says nothing.</summary>
    public CollectiveException()
    {
    }

    /// <summary>Makes an exception that names no rank.</summary>
    /// <param name="message">What went wrong.</param>
    public CollectiveException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that names no rank.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="innerException">Its cause.</param>
    public CollectiveException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes an exception that names ranks.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="failure">What kind of failure it is.</param>
    /// <param name="ranks">The ranks that are to blame, in ascending order.</param>
    /// <param name="operation">The operation that failed.</param>
    public CollectiveException(string message, CollectiveFailure failure, IReadOnlyList<int> ranks, string operation)
        : base(message)
    {
        Failure = failure;
        Ranks = ranks;
        Operation = operation;
    }

    /// <summary>What kind of failure it is; where ranks have failed in several ways, that of the first of them.</summary>
    public CollectiveFailure Failure { get; }

    /// <summary>The ranks that are to blame, in ascending order.</summary>
    public IReadOnlyList<int> Ranks { get; } = [];

    /// <summary>The operation that failed, as this rank named it.</summary>
    public string Operation { get; } = "";
}
