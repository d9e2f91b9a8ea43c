using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Several forwards that await their backward, reuse of contexts, and switches of the mode between the two: every layer.</summary>
[TestClass]
public sealed class LayerContextTests
{
    public static IEnumerable<object[]> Cases =>
        from c in ModuleCase.All
        from type in Data.Types
        select new object[] { c.Layer, c.Name, type };

    /// <summary>Weight sharing: a layer that stands at two places of a network, in training and in evaluation.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TwoForwards_BeforeTheirBackwards_AreIndependent(string layer, string name, string type)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        double[] X(int seed) => Data.Doubles(Values.Of((ulong)seed, Tensors.Count(c.Shape), offset: seed));
        foreach (bool training in new[] { true, false })
        {
            AnyLayer apart = AnyLayer.Make(type, c).Train(training), shared = AnyLayer.Make(type, c).Train(training);
            double[] y1 = apart.Forward(X(1), c.Shape), dx1 = apart.Backward(X(3), c.Shape);
            double[] y2 = apart.Forward(X(2), c.Shape), dx2 = apart.Backward(X(4), c.Shape);
            Expect.SameBits(y1, shared.Forward(X(1), c.Shape, context: 1), "y of the first");
            Expect.SameBits(y2, shared.Forward(X(2), c.Shape, context: 2), "y of the second");
            Expect.SameBits(dx1, shared.Backward(X(3), c.Shape, context: 1), "dx of the first");
            Expect.SameBits(dx2, shared.Backward(X(4), c.Shape, context: 2), "dx of the second");
            apart.State.AssertEqual(shared.State, $"training {training}");
        }
    }

    /// <summary>What a forward has used is what its backward uses: the mode and the buffers at that time.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void SwitchingTheMode_DoesNotChangeAPendingBackward(string layer, string name, string type)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, x.Length));
        double[] other = Data.Doubles(Values.Of(3, x.Length, offset: 20));
        foreach (bool training in new[] { true, false })
        {
            AnyLayer module = AnyLayer.Make(type, c).Train(training), twin = AnyLayer.Make(type, c).Train(training);
            module.Forward(x, c.Shape);
            twin.Forward(x, c.Shape);
            double[] expected = twin.Backward(dy, c.Shape);

            // A forward in the other mode, through another context, which may move the buffers.
            module.Train(!training).Forward(other, c.Shape, context: 1);
            twin.Train(!training).Forward(other, c.Shape, context: 1);
            Expect.SameBits(expected, module.Backward(dy, c.Shape), $"dx, training {training}");
            twin.State.AssertEqual(module.State, $"training {training}");
        }
    }

    /// <summary>One context goes through all layers and modes, from few statistics to many and back.</summary>
    [TestMethod]
    public void Context_CanBeReusedByEveryLayer()
    {
        NormContext<float> context = new();
        foreach (ModuleCase c in ModuleCase.All.Concat(ModuleCase.All.Reverse()))
        {
            foreach (bool training in new[] { true, false })
            {
                NormModule<float> norm = Refusal.Make(c).Train(training), fresh = Refusal.Make(c).Train(training);
                Tensor<float> x = Tensors.Random(5, c.Shape), dy = Tensors.Random(6, c.Shape);
                fresh.Forward(x);
                norm.Forward(x, context);
                Expect.SameBits(Tensors.Flat(fresh.Backward(dy)), Tensors.Flat(norm.Backward(dy, context)), $"dx of {c}");
                new ModuleState(fresh).AssertEqual(new ModuleState(norm), $"{c}");
            }
        }
    }

    /// <summary>Layers that take their statistics from the input have one way to compute, and the mode does not matter to them.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Mode_MattersOnlyWithBuffers(string layer, string name, string type)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, x.Length));
        AnyLayer training = AnyLayer.Make(type, c), evaluation = AnyLayer.Make(type, c).Train(false);
        bool same = training.Forward(x, c.Shape).SequenceEqual(evaluation.Forward(x, c.Shape));
        same &= training.Backward(dy, c.Shape).SequenceEqual(evaluation.Backward(dy, c.Shape));
        bool switches = layer is "CaffeBatchNorm" ? c.Settings.UseGlobalStats is null
            : (layer is "SyncBatchNorm" || layer.EndsWith('d')) && c.Settings.Tracking;
        Assert.AreEqual(!switches, same);
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Gradients_AccumulateUntilCleared(string layer, string name, string type)
    {
        ModuleCase c = ModuleCase.Of(layer, name);
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, x.Length));
        AnyLayer module = AnyLayer.Make(type, c).Train(false);
        ModuleState Step()
        {
            module.Forward(x, c.Shape);
            module.Backward(dy, c.Shape);
            return module.State;
        }

        ModuleState one = Step(), two = Step(), three = Step();
        module.ZeroGradients();
        ModuleState cleared = module.State, again = Step();
        foreach (string part in new[] { "weight gradient", "bias gradient" })
        {
            double[] first = one[part];
            Assert.AreEqual(first.Length > 0, first.Any(value => value != 0), $"{part} of one step");

            // Evaluation does not move buffers (Caffe's may, and does not look at them), so that every step adds the same.
            Close.Relative(1e-6, Array.ConvertAll(first, value => 2 * value), two[part], $"{part} of two steps");
            Close.Relative(1e-6, Array.ConvertAll(first, value => 3 * value), three[part], $"{part} of three steps");
            Assert.IsTrue(cleared[part].All(value => value == 0), $"{part} after clearing");
            Expect.SameBits(first, again[part], $"{part} after clearing and one step");
        }
    }

    /// <summary>The weight of the time of the backward counts: an optimizer's step in between is the caller's own doing.</summary>
    [TestMethod]
    [DataRow("LayerNorm")]
    [DataRow("RMSNorm")]
    [DataRow("GroupNorm")]
    [DataRow("InstanceNorm2d")]
    [DataRow("CaffeScale")]
    public void Weight_IsReadAtTheTimeOfTheBackward(string layer)
    {
        ModuleCase c = ModuleCase.All.First(candidate => candidate.Layer == layer);
        foreach (string type in Data.Types)
        {
            double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, x.Length));
            AnyLayer module = AnyLayer.Make(type, c);
            module.FillWeight(1);
            module.Forward(x, c.Shape);
            double[] single = module.Backward(dy, c.Shape);
            module.Forward(x, c.Shape);
            module.FillWeight(2);
            Expect.SameBits(Array.ConvertAll(single, value => 2 * value), module.Backward(dy, c.Shape), "dx with twice the weight");
        }
    }
}
