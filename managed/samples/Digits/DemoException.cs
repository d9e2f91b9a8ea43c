namespace NormInterop.Samples.Digits;

/// <summary>Something the user can act on; its message is shown without a stack trace.</summary>
internal sealed class DemoException(string message) : Exception(message);
