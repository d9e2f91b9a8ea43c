using NormInterop.Samples.Digits;

namespace NormInterop.Samples.DataParallel;

/// <summary>A rank's part of the images, in an order of its own: it has every size-th image, beginning with number rank.</summary>
internal sealed class Shard
{
    private readonly DigitSet _all;
    private readonly int[] _order;
    private readonly Random _random;
    private int _next;

    public Shard(DigitSet all, ICollective group, int seed)
    {
        _all = all;
        _order = [.. Enumerable.Range(0, all.Count).Where(i => i % group.WorldSize == group.Rank)];
        // Factors that keep the orders of neighbouring seeds and of all ranks apart.
        _random = new Random(unchecked((seed * 7919) + (group.Rank * 104_729)));
        _next = _order.Length;
    }

    public int Count => _order.Length;

    /// <summary>The next images; when there are not enough left for a batch, all of them in a new order.</summary>
    public DigitSet NextBatch(int images)
    {
        if (_next + images > _order.Length)
        {
            DigitsData.Shuffle(_order, _random);
            _next = 0;
        }

        _next += images;
        return _all.Select(_order.AsSpan(_next - images, images));
    }
}
