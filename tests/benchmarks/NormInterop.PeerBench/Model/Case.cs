namespace NormInterop.PeerBench.Model;

/// <summary>One thing to time: a pass of a layer on a tensor.</summary>
/// <param name="Family">The layer.</param>
/// <param name="Shape">Lengths of the tensor.</param>
/// <param name="Layout">Its memory order.</param>
/// <param name="Pass">The pass.</param>
/// <param name="DataType">Type of its elements.</param>
/// <param name="Groups">Of GroupNorm; 0 for the other layers.</param>
internal sealed record Case(Family Family, Shape Shape, Layout Layout, Pass Pass, DataType DataType, int Groups)
{
    /// <summary>As in every layer of PyTorch.</summary>
    public const double Eps = 1e-5;

    /// <summary>As in every layer of PyTorch.</summary>
    public const double Momentum = 0.1;

    /// <summary>Up to here a case is small: bytes of all tensors.</summary>
    public const long SmallBytes = 256 << 10;

    /// <summary>The layer as the reports name it.</summary>
    public string Layer => Family == Family.GroupNorm ? $"{Family.Text()}({Groups})" : Family.Text();

    /// <summary>Elements of the weight.</summary>
    public int Parameters => Family.IsRows() ? Shape.Lengths[^1] : Shape.Lengths[1];

    public int Elements => checked((int)Shape.Elements);

    /// <summary>Bytes of all tensors of the pass, which it must move at least once: x and y, or dy, x and dx.</summary>
    public long Bytes => Shape.Elements * DataType.Size() * (Pass.IsBackward() ? 3 : 2);

    public SizeClass SizeClass(long cacheBytes) =>
        Bytes > cacheBytes ? Model.SizeClass.Beyond : Bytes > SmallBytes ? Model.SizeClass.Cached : Model.SizeClass.Small;

    /// <summary>Why no layer takes this case, or null.</summary>
    public string? Refusal()
    {
        if (!Family.Passes().Contains(Pass))
            return $"{Family.Text()} has no pass {Pass.Text()}";
        if (Family.IsRows())
            return Layout == Layout.Contiguous ? null : "rows are contiguous";
        if (Family == Family.InstanceNorm && Shape.Rank < 3)
            return "expected N,C and at least one spatial length";
        if (Layout == Layout.ChannelsLast && Shape.Rank < 3)
            return "N,C has one layout only";
        if (Family == Family.GroupNorm && (Groups < 1 || Shape.Lengths[1] % Groups != 0))
            return $"{Groups} groups do not divide {Shape.Lengths[1]} channels";
        return !Pass.UsesRunning() && ValuesPerStatistic() < 2 ? "statistics need more than one value" : null;
    }

    public override string ToString() => $"{Layer} {Shape} {Layout.Text()} {Pass.Text()} {DataType.Text()}";

    private long ValuesPerStatistic() => Family switch
    {
        Family.BatchNorm => Elements / Shape.Lengths[1],
        Family.GroupNorm => Elements / (Shape.Lengths[0] * (long)Groups),
        _ => Shape.Product(2, Shape.Rank),
    };
}
