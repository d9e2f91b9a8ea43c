namespace NormInterop.Tests.Support;

/// <summary>The ways in which a tensor of given lengths lies in memory here.</summary>
public enum Form
{
    /// <summary>Dense, in the order of the lengths.</summary>
    Contiguous,

    /// <summary>Dense, channels innermost.</summary>
    ChannelsLast,

    /// <summary>Dense, but in the reverse order of the lengths, which is no format of the library: it must be packed.</summary>
    Reversed,

    /// <summary>The inside of a larger contiguous tensor.</summary>
    Sliced,

    /// <summary>The inside of a larger channels-last tensor.</summary>
    SlicedChannelsLast,
}
