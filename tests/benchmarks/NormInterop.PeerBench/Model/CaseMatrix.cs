namespace NormInterop.PeerBench.Model;

/// <summary>What is timed when nobody asks for something else: the normalized shapes of well-known networks.</summary>
internal static class CaseMatrix
{
    public const int DefaultGroups = 32;

    // Channels and side of every distinct input of a BatchNorm in ResNet-50, for images of 224 x 224.
    private static readonly (int Channels, int Side)[] ResNet50 =
    [
        (64, 112), (64, 56), (128, 56), (256, 56), (128, 28), (256, 28), (512, 28), (256, 14), (512, 14), (1024, 14), (512, 7), (2048, 7),
    ];

    // DenseNet-121 has one for nearly every multiple of 32 channels: of each block one of the first and one of the last.
    private static readonly (int Channels, int Side)[] DenseNet121 =
    [
        (96, 56), (224, 56), (160, 28), (480, 28), (288, 14), (992, 14), (544, 7), (1024, 7),
    ];

    private static readonly Shape[] BatchNorm =
    [
        .. ResNet50.Select(entry => Square(32, entry.Channels, entry.Side)),
        .. ResNet50.Select(entry => Square(1, entry.Channels, entry.Side)),
        .. DenseNet121.Select(entry => Square(32, entry.Channels, entry.Side)),
    ];

    // BERT, GPT-2 medium, GPT-2 XL and Llama, by a token, a sentence and batches of them.
    private static readonly Shape[] Rows =
    [
        .. from rows in new[] { 1, 128, 4096, 8192 } from width in new[] { 768, 1024, 1600, 4096 } select new Shape(rows, width),
    ];

    // Stable Diffusion: three levels of its U-Net on two latents, and its decoder.
    private static readonly Shape[] GroupNorm = [Square(2, 320, 96), Square(2, 640, 48), Square(2, 1280, 24), Square(1, 128, 512)];

    // Style transfer (Johnson et al. 2016): the encoder's three levels.
    private static readonly Shape[] InstanceNorm = [Square(4, 32, 256), Square(4, 64, 128), Square(4, 128, 64)];

    private static readonly Shape[] QuickBatchNorm =
    [
        Square(32, 64, 112), Square(32, 256, 56), Square(32, 512, 28), Square(32, 256, 14), Square(32, 2048, 7), Square(1, 64, 56),
        Square(1, 2048, 7),
    ];

    private static readonly Shape[] QuickRows = [new(1, 768), new(128, 1024), new(4096, 768), new(8192, 4096)];

    // Large ones: other types are asked how much faster or slower than float they are where memory is the limit.
    private static readonly (Family Family, Shape Shape)[] OtherTypes =
    [
        (Family.BatchNorm, Square(32, 256, 56)), (Family.BatchNorm, Square(32, 512, 28)), (Family.LayerNorm, new(8192, 4096)),
        (Family.RmsNorm, new(8192, 4096)), (Family.GroupNorm, Square(1, 128, 512)), (Family.InstanceNorm, Square(4, 32, 256)),
    ];

    /// <summary>The shapes of a family.</summary>
    public static IReadOnlyList<Shape> Shapes(Family family, bool quick) => family switch
    {
        Family.BatchNorm => quick ? QuickBatchNorm : BatchNorm,
        Family.LayerNorm or Family.RmsNorm => quick ? QuickRows : Rows,
        Family.GroupNorm => quick ? [GroupNorm[0], GroupNorm[3]] : GroupNorm,
        _ => quick ? [InstanceNorm[1]] : InstanceNorm,
    };

    /// <summary>All cases, in the order in which they are timed.</summary>
    public static IEnumerable<Case> All(bool quick)
    {
        foreach (Family family in Enum.GetValues<Family>())
        {
            foreach (Shape shape in Shapes(family, quick))
            {
                foreach (Case entry in Cases(family, shape, DataType.Float, DefaultGroups))
                {
                    // A second forward on most shapes tells little that is new.
                    bool skipped = quick && entry.Pass == Pass.InferenceBackward && !shape.Equals(QuickBatchNorm[1]);
                    if (!skipped)
                        yield return entry;
                }
            }
        }

        foreach ((Family family, Shape shape) in quick ? [OtherTypes[0], OtherTypes[2]] : OtherTypes)
        {
            foreach (DataType type in new[] { DataType.BFloat16, DataType.Half, DataType.Double })
            {
                foreach (Case entry in Cases(family, shape, type, DefaultGroups))
                {
                    bool common = entry.Pass is Pass.Forward or Pass.Backward && entry.Layout == Layout.Contiguous;
                    if (quick ? common && type != DataType.Double : entry.Pass != Pass.InferenceBackward)
                        yield return entry;
                }
            }
        }
    }

    /// <summary>Every layout and pass of a shape that the family has.</summary>
    public static IEnumerable<Case> Cases(Family family, Shape shape, DataType type, int groups) =>
        from layout in family.Layouts()
        from pass in family.Passes()
        select new Case(family, shape, layout, pass, type, family == Family.GroupNorm ? groups : 0);

    private static Shape Square(int batch, int channels, int side) => new(batch, channels, side, side);
}
