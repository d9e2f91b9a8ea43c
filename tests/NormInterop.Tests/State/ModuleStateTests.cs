using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.State;

/// <summary>State of BatchNorm modules: to a dict, to a file, and back into a module.</summary>
[TestClass]
public sealed class ModuleStateTests
{
    [TestMethod]
    public void StateDict_HasPyTorchsNamesInItsOrder()
    {
        CollectionAssert.AreEqual(
            (string[])["weight", "bias", "running_mean", "running_var", "num_batches_tracked"],
            new BatchNorm2d<float>(3).StateDict().Keys.ToArray());
        CollectionAssert.AreEqual(
            (string[])["bn.running_mean", "bn.running_var", "bn.num_batches_tracked"],
            new BatchNorm2d<float>(3, affine: false).StateDict("bn.").Keys.ToArray());
        CollectionAssert.AreEqual(
            (string[])["weight", "bias"], new BatchNorm1d<float>(3, trackRunningStats: false).StateDict().Keys.ToArray());
        Assert.IsEmpty(new BatchNorm3d<float>(3, affine: false, trackRunningStats: false).StateDict());
    }

    [TestMethod]
    public void StateDict_IsACopy()
    {
        BatchNorm2d<float> norm = Trained();
        StateDict state = norm.StateDict();
        Assert.AreEqual(2L, state["num_batches_tracked"].ToScalar<long>());
        Assert.AreEqual("I64 []", state["num_batches_tracked"].ToString());
        float[] before = Tensors.Flat(state["running_mean"].ToTensor<float>());
        norm.Forward(Tensors.Random(9, [2, 3, 4, 5]));
        Expect.SameBits(before, Tensors.Flat(state["running_mean"].ToTensor<float>()), "running mean in the dict");
        state["weight"].ToTensor<float>().Fill(0);
        Assert.AreNotEqual(0f, norm.Weight!.Value[0]);
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("features.0.bn1.")]
    public void ThroughAFile_NothingChanges(string prefix)
    {
        BatchNorm2d<float> norm = Trained(), back = new(3);
        using TemporaryFolder folder = new();
        using (StateDict state = norm.StateDict(prefix))
            state.Save(folder["state.safetensors"]);
        using StateDict saved = StateDict.Open(folder["state.safetensors"]);
        StateLoadResult result = back.LoadStateDict(saved, prefix);

        Assert.IsEmpty(result.MissingKeys);
        Assert.IsEmpty(result.UnexpectedKeys);
        norm.ZeroGradients();
        new ModuleState(norm).AssertEqual(new ModuleState(back), "after a file");
        Tensor<float> x = Tensors.Random(4, [2, 3, 4, 5]);
        Expect.SameBits(Tensors.Flat(norm.Eval().Forward(x)), Tensors.Flat(back.Eval().Forward(x)), "output in evaluation");
        Expect.SameBits(Tensors.Flat(norm.Train().Forward(x)), Tensors.Flat(back.Train().Forward(x)), "output in training");
        new ModuleState(norm).AssertEqual(new ModuleState(back), "after one more training step");
    }

    [TestMethod]
    public void SeveralModules_ShareAFile()
    {
        BatchNorm2d<float> first = Trained(1), second = Trained(2), back = new(3);
        using TemporaryFolder folder = new();
        using (StateDict state = first.StateDict("first.").Merge(second.StateDict("second.")))
            state.Save(folder["model.safetensors"]);
        using StateDict saved = StateDict.Load(folder["model.safetensors"]);
        back.LoadStateDict(saved, "second.");
        Expect.SameBits(Tensors.Flat(second.RunningVar!), Tensors.Flat(back.RunningVar!), "running var");

        // Without a prefix, every name of the file is the module's own to know.
        string message = Assert.ThrowsExactly<ArgumentException>(() => back.LoadStateDict(saved)).Message;
        Assert.Contains("missing \"weight\"", message);
        Assert.Contains("unexpected \"first.weight\"", message);
    }

    [TestMethod]
    public void Loading_LeavesGradientsModeAndSettings()
    {
        BatchNorm2d<float> norm = Trained();
        norm.Eval();
        float[] gradient = Tensors.Flat(norm.Weight!.Gradient);
        Tensor<float> weight = norm.Weight.Value, mean = norm.RunningMean!;
        norm.LoadStateDict(new BatchNorm2d<float>(3, momentum: null, eps: 0.5).StateDict());
        Expect.SameBits(gradient, Tensors.Flat(norm.Weight.Gradient), "gradient");
        Assert.IsFalse(norm.IsTraining);
        Assert.AreEqual(1e-5, norm.Eps);
        Assert.AreSame(weight, norm.Weight.Value, "an optimizer holds on to the tensor");
        Assert.AreSame(mean, norm.RunningMean);
        Assert.AreEqual(0f, mean[0]);
        Assert.AreEqual(0L, norm.NumBatchesTracked);
    }

    [TestMethod]
    [DataRow("float32")]
    [DataRow("float64")]
    [DataRow("float16")]
    [DataRow("bfloat16")]
    public void PyTorchsState_IsLoadedFromEveryType(string type)
    {
        using StateDict state = StateDict.Open(Files.Golden($"model_{type}"));
        BatchNorm1d<float> bn1 = new(5);
        BatchNorm2d<float> bn2 = new(3, momentum: null), plain = new(3, trackRunningStats: false);
        BatchNorm3d<float> bn3 = new(4, affine: false);
        (string Prefix, BatchNorm<float> Norm)[] modules = [("bn1.", bn1), ("bn2.", bn2), ("bn3.", bn3), ("plain.", plain)];
        foreach ((string prefix, BatchNorm<float> norm) in modules)
        {
            norm.LoadStateDict(state, prefix);
            foreach ((string key, StateTensor tensor) in norm.StateDict(prefix))
            {
                if (tensor.DataType == StateDataType.I64)
                    Assert.AreEqual(state[key].ToScalar<long>(), tensor.ToScalar<long>());
                else
                    Expect.SameBits(Floats(state[key]), Tensors.Flat(tensor.ToTensor<float>()), key);
            }
        }

        Assert.AreEqual(2L, bn1.NumBatchesTracked);
    }

    [TestMethod]
    public void PyTorchsFloat64_IsKeptToTheBitInDouble()
    {
        using StateDict state = StateDict.Open(Files.Golden("model_float64"));
        BatchNorm1d<double> norm = new(5);
        norm.LoadStateDict(state, "bn1.");
        foreach ((string key, StateTensor tensor) in norm.StateDict("bn1."))
        {
            Assert.AreEqual(state[key].ToString(), tensor.ToString(), key);
            CollectionAssert.AreEqual(state[key].ToBytes(), tensor.ToBytes(), key);
        }
    }

    /// <summary>The reverse: modules here, written here, are the file that Python wrote.</summary>
    [TestMethod]
    public void AModelSavedHere_IsTheFileThatPythonWrites()
    {
        using StateDict python = StateDict.Load(Files.Golden("model_float32"));
        BatchNorm1d<float> bn1 = new(5);
        BatchNorm2d<float> bn2 = new(3), plain = new(3, trackRunningStats: false);
        BatchNorm3d<float> bn3 = new(4, affine: false);
        using StateDict here = [];
        (string Prefix, BatchNorm<float> Norm)[] modules = [("plain.", plain), ("bn3.", bn3), ("bn1.", bn1), ("bn2.", bn2)];
        foreach ((string prefix, BatchNorm<float> norm) in modules)
        {
            norm.LoadStateDict(python, prefix);
            here.Merge(norm.StateDict(prefix));
        }

        // The layers of other families, which have tests of their own.
        foreach ((string key, StateTensor tensor) in python)
        {
            if (!here.ContainsKey(key))
                here.Add(key, tensor);
        }

        here.Metadata["format"] = "pt";
        using TemporaryFolder folder = new();
        here.Save(folder["model.safetensors"]);
        CollectionAssert.AreEqual(File.ReadAllBytes(Files.Golden("model_float32")), File.ReadAllBytes(folder["model.safetensors"]));
    }

    [TestMethod]
    public void StrictLoading_ReportsEverythingAtOnce_AndChangesNothing()
    {
        using StateDict state = Trained().StateDict("bn.");
        state.Remove("bn.bias");
        state.Remove("bn.num_batches_tracked");
        state.Add("bn.gamma", StateTensor.FromScalar(1f));
        state.Add("other.weight", StateTensor.FromScalar(1f));
        state["bn.weight"] = StateTensor.FromTensor(Tensor.Create<float>([1, 2, 3, 4], [4]));
        state["bn.running_mean"] = StateTensor.FromTensor(Tensor.Create<long>([1, 2, 3], [3]));
        BatchNorm2d<float> norm = Trained(5);
        ModuleState before = new(norm);

        ArgumentException e = Assert.ThrowsExactly<ArgumentException>(() => norm.LoadStateDict(state, "bn."));

        before.AssertEqual(new ModuleState(norm), "after the refused load");
        Assert.AreEqual("state", e.ParamName);
        Assert.Contains("BatchNorm2d(3,", e.Message);
        Assert.Contains("under the prefix \"bn.\"", e.Message);
        Assert.Contains("missing \"bn.bias\"", e.Message);
        Assert.Contains("unexpected \"bn.gamma\"", e.Message);
        Assert.Contains("\"bn.weight\" has shape [4], expected [3]", e.Message);
        Assert.Contains("\"bn.running_mean\" is I64 [3], expected F16, BF16, F32 or F64 [3]", e.Message);
        Assert.DoesNotContain("other", e.Message);
        Assert.DoesNotContain("num_batches_tracked", e.Message);
    }

    [TestMethod]
    public void LenientLoading_TakesWhatFits_AndReturnsTheRest()
    {
        BatchNorm2d<float> source = Trained(), norm = new(3);
        using StateDict state = source.StateDict("bn.");
        state.Remove("bn.bias");
        state.Add("bn.gamma", StateTensor.FromScalar(1f));
        StateLoadResult result = norm.LoadStateDict(state, "bn.", strict: false);
        CollectionAssert.AreEqual((string[])["bn.bias"], result.MissingKeys.ToArray());
        CollectionAssert.AreEqual((string[])["bn.gamma"], result.UnexpectedKeys.ToArray());
        Expect.SameBits(Tensors.Flat(source.Weight!.Value), Tensors.Flat(norm.Weight!.Value), "weight");
        Assert.AreEqual(0f, norm.Bias!.Value[0]);
        Assert.AreEqual(2L, norm.NumBatchesTracked);
    }

    /// <summary>As in PyTorch: lenient is about names. Nothing is loaded, also not what would fit.</summary>
    [TestMethod]
    public void LenientLoading_RefusesWrongShapes()
    {
        using StateDict state = Trained().StateDict();
        state.Remove("bias");
        state["running_var"] = StateTensor.FromTensor(Tensor.Create<float>([1, 2, 3], [1, 3]));
        BatchNorm2d<float> norm = new(3);
        ModuleState before = new(norm);
        string message = Assert.ThrowsExactly<ArgumentException>(() => norm.LoadStateDict(state, strict: false)).Message;
        before.AssertEqual(new ModuleState(norm), "after the refused load");
        Assert.Contains("\"running_var\" has shape [1, 3], expected [3]", message);
        Assert.DoesNotContain("missing", message);
    }

    [TestMethod]
    public void AnAbsentCounter_KeepsTheModules()
    {
        using StateDict state = Trained().StateDict();
        state.Remove("num_batches_tracked");
        BatchNorm2d<float> norm = Trained(5);
        norm.Forward(Tensors.Random(1, [2, 3, 4, 5]));
        StateLoadResult result = norm.LoadStateDict(state);
        Assert.AreEqual(3L, norm.NumBatchesTracked);
        Assert.IsEmpty(result.MissingKeys);
    }

    [TestMethod]
    public void CountersThatAreNone_AreRefused()
    {
        BatchNorm2d<float> norm = new(3);
        foreach ((StateTensor counter, string text) in ((StateTensor, string)[])
        [
            (StateTensor.FromScalar(1f), "is F32 [], expected I64 []"),
            (StateTensor.FromTensor(Tensor.Create<long>([1], [1])), "is I64 [1], expected I64 []"),
            (StateTensor.FromScalar(-1L), "is -1, expected at least 0"),
        ])
        {
            using StateDict state = Trained().StateDict();
            state["num_batches_tracked"] = counter;
            Assert.Contains(text, Assert.ThrowsExactly<ArgumentException>(() => norm.LoadStateDict(state)).Message);
            Assert.AreEqual(1f, norm.Weight!.Value[0], "nothing was loaded");
        }
    }

    /// <summary>A parameter's NaN is the user's own affair.</summary>
    [TestMethod]
    public void SpecialValues_AreLoaded()
    {
        using StateDict state = new BatchNorm1d<float>(3).StateDict();
        state["weight"] = StateTensor.FromTensor(Tensor.Create<double>([double.NaN, double.MaxValue, 1e-320], [3]));
        BatchNorm1d<float> norm = new(3);
        norm.LoadStateDict(state);
        Assert.IsTrue(float.IsNaN(norm.Weight!.Value[0]));
        Assert.AreEqual(float.PositiveInfinity, norm.Weight.Value[1]);
        Assert.AreEqual(0f, norm.Weight.Value[2]);
    }

    [TestMethod]
    public void ADisposedDict_ChangesNothing()
    {
        StateDict state = StateDict.Open(Files.Golden("model_float32"));
        state.Dispose();
        BatchNorm1d<float> norm = new(5);
        ModuleState before = new(norm);
        Assert.ThrowsExactly<ObjectDisposedException>(() => norm.LoadStateDict(state, "bn1."));
        before.AssertEqual(new ModuleState(norm), "after the refused load");
    }

    [TestMethod]
    public void Nulls_AreRefused()
    {
        BatchNorm1d<float> norm = new(5);
        Assert.ThrowsExactly<ArgumentNullException>(() => norm.LoadStateDict(null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => norm.LoadStateDict([], null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => norm.StateDict(null!));
    }

    private static float[] Floats(StateTensor tensor) => tensor.DataType switch
    {
        StateDataType.F16 => Convert<Half>(tensor, value => (float)value),
        StateDataType.BF16 => Convert<BFloat16>(tensor, value => (float)value),
        StateDataType.F64 => Convert<double>(tensor, value => (float)value),
        _ => Convert<float>(tensor, value => value),
    };

    private static float[] Convert<TData>(StateTensor tensor, Func<TData, float> convert)
        where TData : unmanaged
    {
        TData[] values = new TData[tensor.Shape[0]];
        tensor.ToTensor<TData>().FlattenTo(values);
        return Array.ConvertAll(values, value => convert(value));
    }

    private static BatchNorm2d<float> Trained(ulong seed = 1)
    {
        BatchNorm2d<float> norm = (BatchNorm2d<float>)Layers.Varied([2, 3, 4, 5]);
        for (ulong step = 0; step < 2; step++)
        {
            norm.Forward(Tensors.Random(seed + step, [2, 3, 4, 5]));
            norm.Backward(Tensors.Random(seed + step + 10, [2, 3, 4, 5]));
        }

        return norm;
    }
}
