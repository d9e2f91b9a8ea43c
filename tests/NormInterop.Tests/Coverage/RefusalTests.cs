using NormInterop.Tests.Support;

namespace NormInterop.Tests.Coverage;

/// <summary>Every layer refuses inputs that do not fit it, says why, and stays as it was. The tests in Errors go into detail.</summary>
[TestClass]
public sealed class RefusalTests
{
    private const string TooFew = "Expected more than 1 value per channel when training, got input size ";

    private static readonly ModuleSettings ThreeChannels = new() { Channels = 3 };
    private static readonly ModuleSettings ThreeByFour = new() { Shape = [3, 4] };

    private static readonly (string Layer, ModuleSettings Settings, string Shape, string Message)[] Refusals =
    [
        ("BatchNorm1d", ThreeChannels, "5", "expected 2D or 3D input (got 1D input)"),
        ("BatchNorm1d", ThreeChannels, "2x3x4x5", "expected 2D or 3D input (got 4D input)"),
        ("BatchNorm1d", ThreeChannels, "2x4", "expected input with 3 channels (got 4 channels, input size [2, 4])"),
        ("BatchNorm1d", ThreeChannels, "1x3", TooFew + "[1, 3]"),
        ("BatchNorm2d", ThreeChannels, "2x3x4", "expected 4D input (got 3D input)"),
        ("BatchNorm2d", ThreeChannels, "2x5x4x4", "expected input with 3 channels (got 5 channels, input size [2, 5, 4, 4])"),
        ("BatchNorm2d", ThreeChannels, "1x3x1x1", TooFew + "[1, 3, 1, 1]"),
        ("BatchNorm3d", ThreeChannels, "2x3x4x5", "expected 5D input (got 4D input)"),
        ("BatchNorm3d", ThreeChannels, "1x3x1x1x1", TooFew + "[1, 3, 1, 1, 1]"),
        ("SyncBatchNorm", ThreeChannels, "5", "expected at least 2D input (got 1D input)"),
        ("SyncBatchNorm", ThreeChannels, "2x4", "expected input with 3 channels (got 4 channels, input size [2, 4])"),
        ("SyncBatchNorm", ThreeChannels, "1x3x1", "Expected more than 1 value per channel when training, got 1 over all ranks"),
        ("InstanceNorm1d", ThreeChannels, "2x3x4x5", "expected 2D or 3D input (got 4D input)"),
        ("InstanceNorm1d", ThreeChannels, "2x4x5", "expected input with 3 channels (got 4 channels, input size [2, 4, 5])"),
        ("InstanceNorm1d", ThreeChannels, "2x3x1", "Expected more than 1 spatial element when training, got input size [2, 3, 1]"),
        ("InstanceNorm2d", ThreeChannels, "3x4", "expected 3D or 4D input (got 2D input)"),
        ("InstanceNorm2d", ThreeChannels, "3x1x1", "Expected more than 1 spatial element when training, got input size [3, 1, 1]"),
        ("InstanceNorm3d", ThreeChannels, "3x4x5", "expected 4D or 5D input (got 3D input)"),
        ("GroupNorm", ThreeChannels, "5", "expected at least 2D input (got 1D input)"),
        ("GroupNorm", ThreeChannels, "2x5x4", "expected input with 3 channels (got 5 channels, input size [2, 5, 4])"),
        ("GroupNorm", ThreeChannels with { Groups = 3 }, "1x3", TooFew + "[1, 3]"),
        ("LayerNorm", ThreeByFour, "2x3x5",
            "Given normalizedShape=[3, 4], expected input with shape [*, 3, 4], but got input of size [2, 3, 5]"),
        ("LayerNorm", ThreeByFour, "4", "Given normalizedShape=[3, 4], expected input with shape [*, 3, 4], but got input of size [4]"),
        ("LayerNorm", new ModuleSettings { Shape = [6, 3] }, "2x6x3x4",
            "Given normalizedShape=[6, 3], expected input with shape [*, 6, 3], but got input of size [2, 6, 3, 4]"),
        ("RMSNorm", ThreeByFour, "2x3x5",
            "Given normalizedShape=[3, 4], expected input with shape [*, 3, 4], but got input of size [2, 3, 5]"),
        ("CaffeBatchNorm", ThreeChannels, "5", "expected at least 2D input (got 1D input)"),
        ("CaffeBatchNorm", ThreeChannels, "2x4x5", "expected input with 3 channels (got 4 channels, input size [2, 4, 5])"),
        ("CaffeScale", new ModuleSettings { Shape = [3] }, "5", "expected at least 2D input (got 1D input)"),
        ("CaffeScale", new ModuleSettings { Shape = [3] }, "2x4x5", "but got input of size [2, 4, 5]"),
    ];

    public static IEnumerable<object[]> Cases => Refusals.Select((_, i) => new object[] { i, $"{Refusals[i].Layer} {Refusals[i].Shape}" });

    /// <summary>The module types that refuse something here.</summary>
    internal static IEnumerable<Type> Covered => Refusals.Select(refusal => ModuleTypes.ByName[refusal.Layer]).Distinct();

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void InputThatDoesNotFit_IsRefusedAndLeavesNoTrace(int index, string name)
    {
        (string layer, ModuleSettings settings, string lengths, string message) = Refusals[index];
        NormModule<float> module = ModuleTypes.Make<float>(layer, settings);
        ModuleTypes.Vary(module);
        string before = Describe(module);
        int[] shape = Tensors.Shape(lengths);

        ArgumentException exception = Assert.ThrowsExactly<ArgumentException>(() => module.Forward(Tensors.Random(1, shape)), name);

        Assert.Contains(message, exception.Message);
        Assert.AreEqual(before, Describe(module), "state after the refused call");
        Assert.ThrowsExactly<InvalidOperationException>(() => module.Backward(Tensors.Random(1, shape)), "no forward is pending");
    }

    // All of the state as text, to the bit.
    private static string Describe(NormModule<float> module) =>
        string.Join('\n', module.StateDict().Select(entry => $"{entry.Key} {Convert.ToHexString(entry.Value.ToBytes())}"));
}
