using NormInterop.Tests.Properties;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Random;

/// <summary>Every layer in every type against the reference, on shapes, formats, settings and offsets that nobody has chosen.</summary>
[TestClass]
public sealed class RandomLayerTests
{
    public static IEnumerable<object[]> Cases =>
        from layer in ModuleTypes.ByName.Keys
        from type in Data.Types
        select new object[] { layer, type };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ForwardAndBackward_AgreeWithTheReference(string layer, string type) =>
        LayerCall.Check([layer], call => Agrees(call, type), count: 150);

    // Mode, buffers and offset are further digits of the seed.
    private static void Agrees(LayerCall call, string type)
    {
        bool training = call.Seed % 3 > 0, tracking = call.Seed / 3 % 2 > 0;
        double offset = new[] { 0, 0, -3, 50.0 }[call.Seed / 6 % 4];
        ModuleSettings settings = call.Settings(tracking: tracking);
        if (call.Layer is "CaffeScale")
            settings = settings with { Shape = [call.Shape[1]] };
        AnyLayer module = AnyLayer.Make(type, call.Layer, settings).Train(training);
        double[] x = module.Rounded([.. call.Numbers(0).Select(value => value + offset)]), dy = module.Rounded(call.Numbers(1));
        LayerOracle oracle = module.Oracle;
        double[] y = oracle.Forward(call.Shape, x, training);
        (double[] dx, double[] dweight, double[] dbias) = oracle.Backward(dy);

        // Of the largest term: with given statistics the offset is a term of y, too.
        double terms = 1 + Math.Abs(offset) + x.Max(Math.Abs), scale = oracle.LargestScale;
        bool buffers = call.Layer is "CaffeBatchNorm" || (tracking && (call.Layer is "SyncBatchNorm" || call.Layer.EndsWith('d')));
        bool given = call.Layer is "CaffeScale" || (!training && buffers);
        double own = type switch { "double" => 1e-13, "float" => 2e-6, "Half" => Math.Pow(2, -10), _ => Math.Pow(2, -7) };
        double parameters = type is "double" ? 1e-13 : 1e-5;
        Close.Relative(own, y, module.Forward(x, call.Shape, call.Form), "y", scale: given ? terms * scale : 4);
        Close.Relative(own, dx, module.Backward(dy, call.Shape, call.Form), "dx", scale * dy.Max(Math.Abs));
        double sums = Math.Sqrt(call.Count) * (given ? terms * Math.Max(1, scale) : 4);
        Close.Relative(parameters, dweight, module.State["weight gradient"], "weight gradient", sums);
        Close.Relative(parameters, dbias, module.State["bias gradient"], "bias gradient", sums);
        foreach ((string name, double[] expected) in new[]
        {
            ("running mean", oracle.Mean), ("running var", oracle.Var), ("mean sum", oracle.Mean), ("variance sum", oracle.Var),
            ("factor", oracle.Factor),
        })
        {
            double[] actual = module.State[name];
            if (actual.Length > 0)
                Close.Relative(type is "double" ? 1e-13 : 1e-6, expected, actual, name, scale: 1);
        }

        Assert.AreEqual(oracle.Batches, module.Batches, "number of batches tracked");
    }
}
