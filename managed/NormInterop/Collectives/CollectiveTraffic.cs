namespace NormInterop;

/// <summary>What a rank has sent to its group so far.</summary>
/// <param name="Messages">Times that all ranks have sent something to all: one for an operation, three for a large sum.</param>
/// <param name="Values">Numbers that this rank brought to them.</param>
/// <param name="Bytes">Bytes that this rank brought to them, those included that say which operation it is.</param>
public readonly record struct CollectiveTraffic(long Messages, long Values, long Bytes)
{
    /// <summary>The difference between two states of a rank's traffic.</summary>
    public static CollectiveTraffic operator -(CollectiveTraffic left, CollectiveTraffic right) =>
        new(left.Messages - right.Messages, left.Values - right.Values, left.Bytes - right.Bytes);

    /// <summary>The sum of two.</summary>
    public static CollectiveTraffic operator +(CollectiveTraffic left, CollectiveTraffic right) =>
        new(left.Messages + right.Messages, left.Values + right.Values, left.Bytes + right.Bytes);

    /// <summary>The difference between two states of a rank's traffic.</summary>
    public static CollectiveTraffic Subtract(CollectiveTraffic left, CollectiveTraffic right) => left - right;

    /// <summary>The sum of two.</summary>
    public static CollectiveTraffic Add(CollectiveTraffic left, CollectiveTraffic right) => left + right;
}
