namespace NormInterop;

/// <summary>What a state dict and a module did not have in common.</summary>
public sealed class StateLoadResult
{
    internal StateLoadResult(IReadOnlyList<string> missingKeys, IReadOnlyList<string> unexpectedKeys)
    {
        MissingKeys = missingKeys;
        UnexpectedKeys = unexpectedKeys;
    }

    /// <summary>Keys, with the prefix, that the module has and the dict has not: these parts of the module are unchanged.</summary>
    public IReadOnlyList<string> MissingKeys { get; }

    /// <summary>Keys under the prefix that the dict has and the module has not.</summary>
    public IReadOnlyList<string> UnexpectedKeys { get; }
}
