namespace NormInterop.Functional;

/// <summary>What layers demand of an input's lengths. An input without samples passes wherever its channels do.</summary>
internal static class InputChecks
{
    /// <summary>Lengths (N, C, ...) of any rank from 2 on, with at least one channel.</summary>
    internal static void Channels(ReadOnlySpan<nint> lengths)
    {
        Rank(lengths, 2);
        ChannelCount(lengths, 1);
    }

    /// <summary>Lengths (N, C, ...) of any rank from 2 on, with the channels that a layer was made for.</summary>
    internal static void Channels(ReadOnlySpan<nint> lengths, int expected)
    {
        Rank(lengths, 2);
        ChannelCount(lengths, 1, expected);
    }

    internal static void Rank(ReadOnlySpan<nint> lengths, int least)
    {
        if (lengths.Length < least)
            throw Guard.Refused($"expected at least {least}D input (got {lengths.Length}D input)", "input");
    }

    /// <summary>As many channels as an array can have statistics.</summary>
    internal static void ChannelCount(ReadOnlySpan<nint> lengths, int axis)
    {
        if (lengths[axis] is < 1 or > int.MaxValue)
            throw Guard.Refused($"expected 1 to {int.MaxValue} channels, got input size {TensorSpans.Size(lengths)}", "input");
    }

    /// <summary>The number of channels that a layer was made for.</summary>
    internal static void ChannelCount(ReadOnlySpan<nint> lengths, int axis, int expected)
    {
        if (lengths[axis] != expected)
        {
            throw Guard.Refused(
                $"expected input with {expected} channels (got {lengths[axis]} channels, input size {TensorSpans.Size(lengths)})", "input");
        }
    }

    /// <summary>The statistics of a channel need values; those of a batch more than one, save in Caffe.</summary>
    internal static void ValuesPerChannel(in NormGeometry geometry, ReadOnlySpan<nint> lengths, int least)
    {
        if (geometry.Batch == 0)
            return;
        if (geometry.Spatial == 0)
            throw Guard.Refused($"Expected at least 1 value per channel, got input size {TensorSpans.Size(lengths)}.", "input");
        if (geometry.Batch * geometry.Spatial < least)
            throw TooFewPerChannel(lengths);
    }

    /// <summary>The statistics of a channel of one sample need positions, and more than one if they are taken from the input.</summary>
    internal static void SpatialElements(in NormGeometry geometry, ReadOnlySpan<nint> lengths, bool fromInput)
    {
        if (geometry.Batch == 0)
            return;
        if (geometry.Spatial == 0)
            throw Guard.Refused($"Expected at least 1 spatial element, got input size {TensorSpans.Size(lengths)}.", "input");
        if (fromInput && geometry.Spatial == 1)
        {
            throw Guard.Refused(
                $"Expected more than 1 spatial element when training, got input size {TensorSpans.Size(lengths)}.", "input");
        }
    }

    /// <summary>
    /// A group needs values. A single one is refused where there is one sample only, in evaluation too: that is where PyTorch does.
    /// </summary>
    internal static void ValuesPerGroup(in NormGeometry geometry, ReadOnlySpan<nint> lengths)
    {
        if (geometry.Batch == 0)
            return;
        if (geometry.Spatial == 0)
            throw Guard.Refused($"Expected at least 1 value per group, got input size {TensorSpans.Size(lengths)}.", "input");
        if (geometry.Batch * (geometry.Channels / geometry.Groups) * geometry.Spatial == 1)
            throw TooFewPerChannel(lengths);
    }

    private static ArgumentException TooFewPerChannel(ReadOnlySpan<nint> lengths) => Guard.Refused(
        $"Expected more than 1 value per channel when training, got input size {TensorSpans.Size(lengths)}.", "input");
}
