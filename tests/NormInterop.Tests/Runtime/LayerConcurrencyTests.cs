using NormInterop.Tests.Support;

namespace NormInterop.Tests.Runtime;

/// <summary>Many .NET threads at once in every layer: one module in evaluation, and modules of their own in training.</summary>
[TestClass]
public sealed class LayerConcurrencyTests
{
    private const int Callers = 8;

    /// <summary>Small ones that stay on their thread, and large ones that compete for helpers.</summary>
    public static IEnumerable<object[]> Cases =>
        from c in LayerShapes.Medium.Concat(LayerShapes.Large)
        let count = Tensors.Count(c.Shape)
        where count < 220_000 && c.Layer is not ("BatchNorm2d" or "BatchNorm1d")
        from type in count < 10_000 ? Data.Types : ["float"]
        select new object[] { c.Layer, c.Name, type };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void OneModuleInEvaluation_ServesManyThreads(string layer, string name, string type)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        AnyLayer shared = AnyLayer.Make(type, c).Train(false);
        ModuleState before = shared.State;
        double[][] inputs = Inputs(c, 1), serial = Array.ConvertAll(inputs, x => shared.Forward(x, c.Shape));
        for (int i = 0; i < Callers; i++)
            shared.Forward(inputs[i], c.Shape, context: i + 1);
        OnManyThreads(caller =>
        {
            for (int repeat = 0; repeat < 3; repeat++)
            {
                double[] y = shared.Forward(inputs[caller], c.Shape, context: caller + 1);
                Expect.SameBits(serial[caller], y, $"y of caller {caller}");
                y = shared.ForwardSpans(inputs[caller], c.Shape, Form.Contiguous, Form.Contiguous, context: null);
                Expect.SameBits(serial[caller], y, $"y of caller {caller}, without a context");
            }
        });
        before.AssertEqual(shared.State, "after all evaluations");
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ModulesInTraining_DoNotDisturbEachOther(string layer, string name, string type)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        double[][] inputs = Inputs(c, 1), gradients = Inputs(c, 100);
        (double[] Dx, ModuleState State) Train(int caller)
        {
            AnyLayer module = AnyLayer.Make(type, c);
            module.Forward(inputs[caller], c.Shape);
            module.Backward(gradients[caller], c.Shape);
            module.Forward(inputs[caller], c.Shape);
            return (module.Backward(gradients[caller], c.Shape), module.State);
        }

        (double[] Dx, ModuleState State)[] serial = [.. Enumerable.Range(0, Callers).Select(Train)];
        OnManyThreads(caller =>
        {
            (double[] dx, ModuleState state) = Train(caller);
            Expect.SameBits(serial[caller].Dx, dx, $"dx of caller {caller}");
            serial[caller].State.AssertEqual(state, $"caller {caller}");
        });
    }

    private static double[][] Inputs(ModuleCase c, int seed) =>
        [.. Enumerable.Range(seed, Callers).Select(s => Data.Doubles(Values.Of((ulong)s, Tensors.Count(c.Shape))))];

    // All start together; the first failure of any is the failure of the test.
    private static void OnManyThreads(Action<int> body)
    {
        using Barrier start = new(Callers);
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, Callers).Select(caller => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                body(caller);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.IsNull(failure, $"{failure}");
    }
}
