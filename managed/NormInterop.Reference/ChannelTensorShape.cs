namespace NormInterop.Reference;

/// <summary>
/// A dense tensor of shape (N, C, S): batch, channels, and all spatial dimensions folded into one (1 for 2D input). It lies in memory as
/// N, C, S ("contiguous") or as N, S, C ("channels last").
/// </summary>
public readonly record struct ChannelTensorShape
{
    /// <summary>Describes a dense tensor.</summary>
    /// <param name="batch">N, which may be 0.</param>
    /// <param name="channels">C, at least 1.</param>
    /// <param name="spatial">S, the product of the spatial dimensions, at least 1.</param>
    /// <param name="channelsLast">Whether memory order is N, S, C rather than N, C, S.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is below its minimum, or the elements are too many for an int.</exception>
    public ChannelTensorShape(int batch, int channels, int spatial, bool channelsLast = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(spatial, 1);
        if (long.BigMul(channels, spatial) > int.MaxValue / Math.Max(batch, 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(batch), $"Expected at most {int.MaxValue} elements, got {batch} x {channels} x {spatial}.");
        }

        Batch = batch;
        Channels = channels;
        Spatial = spatial;
        ChannelsLast = channelsLast;
    }

    /// <summary>N, the number of samples.</summary>
    public int Batch { get; }

    /// <summary>C, the number of channels.</summary>
    public int Channels { get; }

    /// <summary>S, the number of elements in one plane: one channel of one sample.</summary>
    public int Spatial { get; }

    /// <summary>Whether memory order is N, S, C rather than N, C, S.</summary>
    public bool ChannelsLast { get; }

    /// <summary>N * C * S.</summary>
    public int Count => Batch * Channels * Spatial;

    /// <summary>N * S, the number of elements over which a channel's statistics are taken.</summary>
    public int CountPerChannel => Batch * Spatial;

    /// <summary>The distance in memory from element (n, c, s) to (n, c, s + 1).</summary>
    public int SpatialStride => ChannelsLast ? Channels : 1;

    /// <summary>The position of element (n, c, s) in memory.</summary>
    public int Index(int n, int c, int s) => ChannelsLast
        ? (((n * Spatial) + s) * Channels) + c
        : (((n * Channels) + c) * Spatial) + s;
}
