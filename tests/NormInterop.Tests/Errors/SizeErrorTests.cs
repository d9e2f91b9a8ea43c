using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Sizes beyond what arrays and integers hold, by shape alone: strides of 0 need no memory.</summary>
[TestClass]
public sealed class SizeErrorTests
{
    private const long Half = 1L << 31;

    // Lengths that the layer takes, more than 2^31 elements together, some more than 2^62.
    private static readonly (string Layer, ModuleSettings Settings, long[] Lengths)[] All =
    [
        ("BatchNorm1d", new ModuleSettings { Channels = 3 }, [65536, 3, 32768]),
        ("BatchNorm2d", new ModuleSettings { Channels = 3 }, [65536, 3, Half, 8]),
        ("BatchNorm3d", new ModuleSettings { Channels = 3 }, [Half, 3, 2, 2, 2]),
        ("SyncBatchNorm", new ModuleSettings { Channels = 3 }, [Half, 3, 2, 2, 2]),
        ("InstanceNorm1d", new ModuleSettings { Channels = 3 }, [65536, 3, 65536]),
        ("InstanceNorm2d", new ModuleSettings { Channels = 3 }, [3, 65536, 65536]),
        ("InstanceNorm3d", new ModuleSettings { Channels = 3 }, [Half, 3, 2, 2, 2]),
        ("GroupNorm", new ModuleSettings { Channels = 6, Groups = 2 }, [1L << 30, 6, 1L << 29]),
        ("LayerNorm", new ModuleSettings { Shape = [5, 4] }, [Half, 5, 4]),
        ("LayerNorm", new ModuleSettings { Shape = [4] }, [Half, 1L << 29, 4]),
        ("RMSNorm", new ModuleSettings { Shape = [5, 4], Eps = null }, [Half, 5, 4]),
        ("CaffeBatchNorm", new ModuleSettings { Channels = 3 }, [65536, 3, 65536]),
        ("CaffeScale", new ModuleSettings { Shape = [3] }, [65536, 3, 65536]),
    ];

    public static IEnumerable<object[]> Cases => Enumerable.Range(0, All.Length).Select(i => new object[] { i, All[i].Layer });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TensorsBeyondAnArray_AreRefused(int index, string layer)
    {
        (_, ModuleSettings settings, long[] sizes) = All[index];
        nint[] lengths = Array.ConvertAll(sizes, size => (nint)size);
        Tensor<float> huge = Tensor.Create(new float[1], lengths, new nint[lengths.Length]);
        string message = $"input of size [{string.Join(", ", sizes)}] has {sizes.Aggregate((a, b) => a * b)} elements; expected at most "
            + $"{Array.MaxLength} where an array must hold them";
        ModuleCase c = ModuleCase.All.First(candidate => candidate.Layer == layer);
        foreach (bool training in new[] { true, false })
        {
            NormModule<float> norm = ModuleTypes.Make<float>(layer, settings).Train(training);
            ModuleState before = new(norm);
            Assert.Contains(message, Assert.ThrowsExactly<ArgumentException>(() => norm.Forward(huge)).Message);
            Assert.Contains(
                "output has stride 0",
                Assert.ThrowsExactly<ArgumentException>(() => norm.Forward(huge.AsReadOnlyTensorSpan(), huge.AsTensorSpan())).Message);
            before.AssertEqual(new ModuleState(norm), "after the refused calls");
        }

        Refusal refusal = new(c);
        refusal.Says<ArgumentException>("gradOutput has size", () => refusal.Norm.Backward(huge));
    }

    /// <summary>Products that no integer holds, of tensors that have no elements: still nothing to do.</summary>
    [TestMethod]
    [DataRow("BatchNorm2d", "0x3x1073741824x1073741824")]
    [DataRow("InstanceNorm2d", "0x3x1073741824x1073741824")]
    [DataRow("GroupNorm", "0x6x1073741824x1073741824")]
    [DataRow("LayerNorm", "1099511627776x1099511627776x0x4")]
    [DataRow("RMSNorm", "0x1073741824x1073741824x4")]
    [DataRow("CaffeBatchNorm", "0x3x1073741824x1073741824")]
    [DataRow("CaffeScale", "1099511627776x3x1099511627776x0")]
    public void HugeLengthsWithoutElements_AreEmpty(string layer, string shape)
    {
        nint[] lengths = Array.ConvertAll(shape.Split('x'), nint.Parse);
        ModuleSettings settings = new()
        {
            Channels = layer is "GroupNorm" ? 6 : 3,
            Groups = 2,
            Shape = layer is "CaffeScale" ? [3] : [4],
        };
        NormModule<float> norm = ModuleTypes.Make<float>(layer, settings);
        Tensor<float> x = Tensor.CreateFromShape<float>(lengths);
        ModuleState before = new(norm);
        CollectionAssert.AreEqual(lengths, norm.Forward(x).Lengths.ToArray());
        CollectionAssert.AreEqual(lengths, norm.Backward(x).Lengths.ToArray());
        before.AssertSameNumbers(new ModuleState(norm), "afterwards");
    }

    /// <summary>More dimensions than the stack has room for strides.</summary>
    [TestMethod]
    [DataRow("GroupNorm")]
    [DataRow("CaffeBatchNorm")]
    [DataRow("LayerNorm")]
    [DataRow("RMSNorm")]
    [DataRow("CaffeScale")]
    public void ManyDimensions_AreTaken(string layer)
    {
        int[] shape = [2, 6, .. Enumerable.Repeat(1, 17), 3, 5], flat = [2, 6, 15];
        ModuleSettings settings = new() { Channels = 6, Groups = 3, Shape = layer is "CaffeScale" ? [6] : [5] };
        ModuleSettings flatSettings = settings with { Shape = layer is "CaffeScale" ? [6] : [5] };
        if (layer is "LayerNorm" or "RMSNorm")
            flat = [2, 6, 3, 5];
        double[] x = Data.Doubles(Values.Of(1, 180)), dy = Data.Doubles(Values.Of(2, 180));
        foreach (Form form in new[] { Form.Contiguous, Form.Reversed })
        {
            AnyLayer many = AnyLayer.Make("float", layer, settings), few = AnyLayer.Make("float", layer, flatSettings);
            Expect.SameBits(few.Forward(x, flat), many.Forward(x, shape, form), "y");
            Expect.SameBits(few.Backward(dy, flat), many.Backward(dy, shape, form), "dx");
            few.State.AssertEqual(many.State, "afterwards");
        }
    }
}
