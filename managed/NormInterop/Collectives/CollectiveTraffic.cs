using System.Globalization;

namespace NormInterop;

/// <summary>What a rank has sent to its group so far.</summary>
public readonly struct CollectiveTraffic : IEquatable<CollectiveTraffic>
{
    /// <summary>Makes a sum of traffic.</summary>
    /// <param name="messages">Times that all ranks have sent something to all.</param>
    /// <param name="values">Numbers that this rank brought to them.</param>
    /// <param name="bytes">Bytes that this rank brought to them.</param>
    public CollectiveTraffic(long messages, long values, long bytes) => (Messages, Values, Bytes) = (messages, values, bytes);

    /// <summary>Times that all ranks have sent something to all: one for an operation, three for a large sum.</summary>
    public long Messages { get; }

    /// <summary>Numbers that this rank brought to them.</summary>
    public long Values { get; }

    /// <summary>Bytes that this rank brought to them, those included that say which operation it is.</summary>
    public long Bytes { get; }

    /// <summary>The difference between two states of a rank's traffic.</summary>
    public static CollectiveTraffic operator -(CollectiveTraffic left, CollectiveTraffic right) => Subtract(left, right);

    /// <summary>The sum of two.</summary>
    public static CollectiveTraffic operator +(CollectiveTraffic left, CollectiveTraffic right) => Add(left, right);

    /// <summary>Whether two are the same.</summary>
    public static bool operator ==(CollectiveTraffic left, CollectiveTraffic right) => left.Equals(right);

    /// <summary>Whether two are different.</summary>
    public static bool operator !=(CollectiveTraffic left, CollectiveTraffic right) => !left.Equals(right);

    /// <summary>The difference between two states of a rank's traffic.</summary>
    public static CollectiveTraffic Subtract(CollectiveTraffic left, CollectiveTraffic right) =>
        new(left.Messages - right.Messages, left.Values - right.Values, left.Bytes - right.Bytes);

    /// <summary>The sum of two.</summary>
    public static CollectiveTraffic Add(CollectiveTraffic left, CollectiveTraffic right) =>
        new(left.Messages + right.Messages, left.Values + right.Values, left.Bytes + right.Bytes);

    /// <summary>Whether another is the same.</summary>
    public bool Equals(CollectiveTraffic other) => (Messages, Values, Bytes) == (other.Messages, other.Values, other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CollectiveTraffic other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Messages, Values, Bytes);

    /// <summary>In words.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Messages} messages of {Values} values in {Bytes} bytes");
}
