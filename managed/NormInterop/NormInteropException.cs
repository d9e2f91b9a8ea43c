namespace NormInterop;

/// <summary>The native library refused or failed a call for a reason that lies on its side, not in the caller's arguments.</summary>
public sealed class NormInteropException : Exception
{
    /// <summary>Makes an exception without a status.</summary>
    public NormInteropException()
    {
    }

    /// <summary>Makes an exception without a status.</summary>
    /// <param name="message">What went wrong.</param>
    public NormInteropException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception without a status.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="innerException">Its cause.</param>
    public NormInteropException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes an exception for a status that the native library returned.</summary>
    /// <param name="message">The library's message.</param>
    /// <param name="status">The value of its <c>ni_status</c>.</param>
    public NormInteropException(string message, int status)
        : base(message) => Status = status;

    /// <summary>The value of the native <c>ni_status</c>; 0 where there is none.</summary>
    public int Status { get; }
}
