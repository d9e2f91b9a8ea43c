using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Golden;

/// <summary>Every golden file through its module: outputs, input gradients and the whole state after every step.</summary>
[TestClass]
public sealed class GoldenTests
{
    /// <summary>Layer, file and the form of its tensors. Channels last needs a spatial dimension.</summary>
    public static IEnumerable<object[]> Cases =>
        from layer in Layers.Names
        from name in GoldenFile.Names(layer)
        from form in Enum.GetValues<Form>()
        where form is Form.Contiguous || !name.StartsWith("2d_input", StringComparison.Ordinal)
        select new object[] { layer, name, form };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ThreeTrainingStepsAndTwoEvaluations(string layer, string name, Form form)
    {
        GoldenFile file = GoldenFile.Load(layer, name);
        BatchNorm<float> norm = Layers.Make(layer, file.NumFeatures, file.Eps, file.Momentum, file.Affine, file.TrackRunningStats);
        Copy(file.Weight, norm.Weight);
        Copy(file.Bias, norm.Bias);
        Assert.HasCount(5, file.Steps);
        for (int i = 0; i < file.Steps.Count; i++)
        {
            GoldenStep step = file.Steps[i];
            norm.Train(step.Training);
            RunStep(norm, step, form, $"step {i}");
            CheckState(norm, step, $"step {i}");
        }
    }

    private static void RunStep(BatchNorm<float> norm, GoldenStep step, Form form, string when)
    {
        Tensor<float> y = norm.Forward(Tensors.Make(step.X, step.Shape, form));
        Assert.AreEqual(string.Join(", ", step.Shape), string.Join(", ", y.Lengths.ToArray()), $"{when}: lengths of y");
        Expect.Output(step.Y, Tensors.Flat(y), $"{when}: y");
        if (step.Dy is null)
            return;
        Tensor<float> dx = norm.Backward(Tensors.Make(step.Dy, step.Shape, form));
        Assert.AreEqual(string.Join(", ", step.Shape), string.Join(", ", dx.Lengths.ToArray()), $"{when}: lengths of dx");
        Expect.Gradient(step.Dx, Tensors.Flat(dx), $"{when}: dx");
    }

    private static void CheckState(BatchNorm<float> norm, GoldenStep step, string when)
    {
        Assert.AreEqual(step.NumBatchesTracked ?? 0, norm.NumBatchesTracked, $"{when}: number of batches tracked");
        foreach ((string name, double[]? expected, Tensor<float>? actual) in new[]
        {
            ("running mean", step.RunningMean, norm.RunningMean),
            ("running var", step.RunningVar, norm.RunningVar),
        })
        {
            Assert.AreEqual(expected is null, actual is null, $"{when}: presence of {name}");
            if (expected is not null)
                Expect.Buffer(expected, Tensors.Flat(actual!), $"{when}: {name}");
        }

        foreach ((string name, double[]? expected, Parameter<float>? actual) in new[]
        {
            ("weight gradient", step.WeightGrad, norm.Weight),
            ("bias gradient", step.BiasGrad, norm.Bias),
        })
        {
            Assert.AreEqual(expected is null, actual is null, $"{when}: presence of {name}");
            if (expected is not null)
                Expect.Gradient(expected, Tensors.Flat(actual!.Gradient), $"{when}: {name}");
        }
    }

    private static void Copy(float[]? values, Parameter<float>? parameter)
    {
        Assert.AreEqual(values is null, parameter is null, "presence of a parameter");
        for (int i = 0; i < values?.Length; i++)
            parameter!.Value[i] = values[i];
    }
}
