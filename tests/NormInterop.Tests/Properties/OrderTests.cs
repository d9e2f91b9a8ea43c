using System.Numerics;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Properties;

/// <summary>The order of samples in a batch and of elements in memory is none of a layer's business.</summary>
[TestClass]
public sealed class OrderTests
{
    private static readonly string[] PerSample =
        ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "GroupNorm", "LayerNorm", "RMSNorm"];

    /// <summary>A sample that is normalized by itself gets the same bits at every place in the batch.</summary>
    [TestMethod]
    public void PermutedSamples_PermuteOutputsToTheBit() => LayerCall.Check(PerSample, c =>
    {
        (double[] y, double[] dx) = Run<float>(c, c.Make<float>(), c.Numbers(0), c.Numbers(1));
        (double[] permutedY, double[] permutedDx) = Run<float>(c, c.Make<float>(), Permute(c, c.Numbers(0)), Permute(c, c.Numbers(1)));
        Close.Within(0, Permute(c, y), permutedY, "y");
        Close.Within(0, Permute(c, dx), permutedDx, "dx");
    });

    [TestMethod]
    public void PermutedSamples_PermuteOutputsOfBatchNormInEvaluationToTheBit() => LayerCall.Check(BatchNorms, c =>
    {
        (double[] y, double[] dx) = Run<float>(c, c.Make<float>(tracking: true).Eval(), c.Numbers(0), c.Numbers(1));
        NormModule<float> other = c.Make<float>(tracking: true).Eval();
        (double[] permutedY, double[] permutedDx) = Run<float>(c, other, Permute(c, c.Numbers(0)), Permute(c, c.Numbers(1)));
        Close.Within(0, Permute(c, y), permutedY, "y");
        Close.Within(0, Permute(c, dx), permutedDx, "dx");
    });

    /// <summary>Sums over the batch are taken in another order, and may round differently.</summary>
    [TestMethod]
    public void PermutedSamples_PermuteOutputsOfBatchNormInTraining() => LayerCall.Check([.. BatchNorms, "CaffeBatchNorm"], c =>
    {
        (double[] y, double[] dx) = Run<double>(c, c.Make<double>(), c.Numbers(0), c.Numbers(1));
        (double[] permutedY, double[] permutedDx) = Run<double>(c, c.Make<double>(), Permute(c, c.Numbers(0)), Permute(c, c.Numbers(1)));
        Close.Relative(1e-11, Permute(c, y), permutedY, "y", scale: 1);
        Close.Relative(1e-9, Permute(c, dx), permutedDx, "dx", scale: 1);
    });

    [TestMethod]
    public void EveryForm_GivesTheSameNumbers() => LayerCall.Check([.. ModuleTypes.ByName.Keys.Where(layer => layer != "CaffeScale")], c =>
    {
        (double[] y, double[] dx) = Run<double>(c with { Form = Form.Contiguous }, c.Make<double>(), c.Numbers(0), c.Numbers(1));
        (double[] otherY, double[] otherDx) = Run<double>(c, c.Make<double>(), c.Numbers(0), c.Numbers(1));
        Close.Relative(1e-11, y, otherY, "y", scale: 1);
        Close.Relative(1e-9, dx, otherDx, "dx", scale: 1);
    });

    private static string[] BatchNorms => ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"];

    private static (double[] Y, double[] Dx) Run<T>(LayerCall c, NormModule<T> module, double[] x, double[] dy)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] y = Data.Flat(module.Forward(Data.Make<T>(x, c.Shape, c.Form)));
        return (y, Data.Flat(module.Backward(Data.Make<T>(dy, c.Shape, c.Form))));
    }

    // Samples rotated by one and the first two of them exchanged: not its own inverse where there are more than two.
    private static double[] Permute(LayerCall c, double[] values)
    {
        double[][] samples = [.. values.Chunk(values.Length / c.Shape[0])];
        double[][] rotated = [.. samples[1..], samples[0]];
        if (rotated.Length > 2)
            (rotated[0], rotated[1]) = (rotated[1], rotated[0]);
        return [.. rotated.SelectMany(sample => sample)];
    }
}
