using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Inputs without samples, for every layer, type and mode: the shape is kept, and only BatchNorm's counter moves.</summary>
[TestClass]
public sealed class LayerEmptyBatchTests
{
    public static IEnumerable<object[]> Cases =>
        from c in ModuleCase.All
        where c.Shape.Length > LeastRank(c)
        from type in Data.Types
        select new object[] { c.Layer, c.Name, type };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void NoSamples_ChangeNothingButTheCounter(string layer, string name, string type)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        AssertNothingHappens(c, type, [0, .. c.Shape[1..]]);
    }

    /// <summary>Whatever dimension outside of the normalized ones it is that has length 0.</summary>
    [TestMethod]
    [DataRow("LayerNorm", "2x0x5")]
    [DataRow("LayerNorm", "0x0x5")]
    [DataRow("RMSNorm", "2x0x5")]
    [DataRow("CaffeScale", "2x5x0")]
    [DataRow("CaffeScale", "0x5x0")]
    [DataRow("GroupNorm", "0x5x0")]
    [DataRow("GroupNorm", "0x5")]
    [DataRow("BatchNorm1d", "0x5x0")]
    [DataRow("InstanceNorm1d", "0x5x0")]
    [DataRow("InstanceNorm1d", "0x5x1")]
    [DataRow("CaffeBatchNorm", "0x5x0")]
    [DataRow("CaffeBatchNorm", "0x5")]
    public void OtherEmptyDimensions_AreEmptyToo(string layer, string lengths)
    {
        ModuleCase c = new(layer, lengths, new ModuleSettings { Channels = 5, Groups = 5, Shape = [5] }, Tensors.Shape(lengths));
        foreach (string type in Data.Types)
            AssertNothingHappens(c, type, c.Shape);
    }

    private static void AssertNothingHappens(ModuleCase c, string type, int[] shape)
    {
        foreach (bool training in new[] { true, false })
        {
            AnyLayer module = AnyLayer.Make(type, c).Train(training);
            int[] full = [.. shape.Select(length => Math.Max(length, 2))];

            // With gradients to which zero is added, and a context that has held more than it will now.
            double[] some = Data.Doubles(Values.Of(1, Tensors.Count(full)));
            module.Forward(some, full, context: 1);
            module.Backward(some, full, context: 1);
            ModuleState before = module.State;
            long batches = module.Batches;
            foreach (int context in new[] { 0, 1 })
            {
                Assert.IsEmpty(module.Forward([], shape, context: context));
                Assert.IsEmpty(module.Backward([], shape, context: context));
            }

            Assert.IsEmpty(module.ForwardSpans([], shape, Form.Contiguous, Form.Contiguous, context: 1));
            Assert.IsEmpty(module.BackwardSpans([], [], shape, Form.Contiguous, Form.Contiguous, Form.Contiguous));
            Assert.IsEmpty(module.ForwardSpans([], shape, Form.Contiguous, Form.Contiguous, context: null));
            before.AssertSameNumbers(module.State, $"{string.Join('x', shape)}, training {training}");
            bool counts = c.Layer is "BatchNorm1d" or "BatchNorm2d" or "BatchNorm3d" or "SyncBatchNorm" && c.Settings.Tracking && training;
            Assert.AreEqual(batches + (counts ? 4 : 0), module.Batches, $"number of batches tracked, training {training}");
        }
    }

    // The rank at which dimension 0 is one that is normalized or has parameters.
    private static int LeastRank(ModuleCase c) => c.Layer switch
    {
        "LayerNorm" or "RMSNorm" => c.Settings.Shape.Length,
        "CaffeScale" => c.Settings.Axis == 0 ? c.Shape.Length : c.Settings.Shape.Length,
        "InstanceNorm1d" => 2,
        "InstanceNorm2d" => 3,
        "InstanceNorm3d" => 4,
        _ => 1,
    };
}
