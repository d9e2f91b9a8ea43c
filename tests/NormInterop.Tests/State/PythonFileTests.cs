using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.State;

/// <summary>State that PyTorch made and Python wrote, read here and written again: nothing may change on either way.</summary>
[TestClass]
public sealed class PythonFileTests
{
    public static IEnumerable<string> Names =>
        ["model_float32", "model_float64", "model_float16", "model_bfloat16", "rounding", "names"];

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Saved_IsTheSameFile(string name)
    {
        byte[] expected = File.ReadAllBytes(Files.Golden(name));
        using TemporaryFolder folder = new();
        foreach (Func<string, StateDict> read in (Func<string, StateDict>[])[StateDict.Load, StateDict.Open])
        {
            using StateDict state = read(Files.Golden(name));
            state.Save(folder["file"]);
            CollectionAssert.AreEqual(expected, File.ReadAllBytes(folder["file"]));
        }
    }

    [TestMethod]
    public void Names_AndShapes_AndValues()
    {
        using StateDict state = StateDict.Open(Files.Golden("names"));
        Assert.HasCount(10, state);
        CollectionAssert.AreEqual(
            (float[])[1.5f, -0f], Tensors.Flat(state["quote \" backslash \\ slash / tab \t unit \x1f delete \x7f"].ToTensor<float>()));
        Tensor<Half> halves = state["ünïcode \u2028 \ue000 \U0001d6fe"].ToTensor<Half>();
        Assert.IsTrue(Half.IsNaN(halves[0, 0]) && Half.IsPositiveInfinity(halves[1, 0]));
        Assert.AreEqual(7L, state[string.Empty].ToScalar<long>());
        Assert.AreEqual("F32 [0, 3]", state["empty"].ToString());
        Assert.AreEqual("I32 [2, 0]", state["empty_too"].ToString());
        CollectionAssert.AreEqual((byte[])[1, 0, 1], state["bool"].ToBytes());
        Assert.AreEqual(int.MinValue, state["i32"].ToTensor<int>()[0]);
        Assert.AreEqual((sbyte)-128, state["i8"].ToTensor<sbyte>()[0]);
        Assert.AreEqual("line\nbreak, \"quotes\", \U0001d6fe", state.Metadata["note"]);
        Assert.AreEqual(string.Empty, state.Metadata[string.Empty]);
        Assert.HasCount(3, state.Metadata);
    }

    /// <summary>The numbers of bn1.weight and bn1.bias are 1 + i/7 and -i/3 in float64, rounded.</summary>
    [TestMethod]
    public void Models_HoldWhatPyTorchRounded()
    {
        for (int i = 0; i < 5; i++)
        {
            double weight = 1 + (i / 7.0), bias = -(i / 3.0);
            Assert.AreEqual((weight, bias), (Element<double>("float64", "weight", i), Element<double>("float64", "bias", i)));
            Assert.AreEqual(((float)weight, (float)bias), (Element<float>("float32", "weight", i), Element<float>("float32", "bias", i)));
            Assert.AreEqual(((Half)weight, (Half)bias), (Element<Half>("float16", "weight", i), Element<Half>("float16", "bias", i)));
            Assert.AreEqual(
                ((BFloat16)weight, (BFloat16)bias), (Element<BFloat16>("bfloat16", "weight", i), Element<BFloat16>("bfloat16", "bias", i)));
        }
    }

    [TestMethod]
    public void Conversions_AreThoseOfPyTorch()
    {
        using StateDict state = StateDict.Load(Files.Golden("rounding"));
        float[] single = Tensors.Flat(state["single"].ToTensor<float>());
        BFloat16[] bfloats = Flat<BFloat16>(state["single_to_bfloat16"]);
        Half[] halves = Flat<Half>(state["single_to_float16"]);
        Assert.IsGreaterThan(5000, single.Length);
        for (int i = 0; i < single.Length; i++)
        {
            Assert.AreEqual(bfloats[i].ToBits(), ((BFloat16)single[i]).ToBits(), $"{single[i]:R} to BFloat16");
            Assert.AreEqual(
                BitConverter.HalfToUInt16Bits(halves[i]), BitConverter.HalfToUInt16Bits((Half)single[i]), $"{single[i]:R} to Half");
        }

        // What a module does when it loads another type.
        float[] fromBFloats = Array.ConvertAll(bfloats, value => (float)value);
        float[] fromHalves = Array.ConvertAll(halves, value => (float)value);
        Expect.SameBits(Flat<float>(state["double_to_float32"]), state["double"].ToArray<float>(), "float64 to float32");
        Expect.SameBits(fromBFloats, state["single_to_bfloat16"].ToArray<float>(), "bfloat16 to float32");
        Expect.SameBits(fromHalves, state["single_to_float16"].ToArray<float>(), "float16 to float32");
    }

    private static TData Element<TData>(string type, string name, int index)
        where TData : unmanaged
    {
        using StateDict state = StateDict.Open(Files.Golden($"model_{type}"));
        return state[$"bn1.{name}"].ToTensor<TData>()[index];
    }

    private static TData[] Flat<TData>(StateTensor tensor)
        where TData : unmanaged
    {
        TData[] values = new TData[tensor.Shape[0]];
        tensor.ToTensor<TData>().FlattenTo(values);
        return values;
    }
}
