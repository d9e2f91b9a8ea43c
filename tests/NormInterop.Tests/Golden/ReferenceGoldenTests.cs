using NormInterop.Tests.Support;

namespace NormInterop.Tests.Golden;

/// <summary>The reference against PyTorch: an oracle that other tests trust has to be tested first.</summary>
[TestClass]
public sealed class ReferenceGoldenTests
{
    // Of the largest element: both compute in double, and sum up in different orders. Inputs with an offset of 100 cost two digits.
    private const double Tolerance = 1e-12;

    public static IEnumerable<object[]> Cases =>
        from layer in GoldenFile.Layers
        from name in GoldenFile.Names(layer)
        select new object[] { layer, name };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Reference_GivesTheGoldenNumbers(string layer, string name)
    {
        GoldenFile file = GoldenFile.Load(layer, name);
        double epsilon = file.MachineEpsilonOf == "float64" ? Math.Pow(2, -52) : Math.Pow(2, -23);
        double[] weight = Data.Doubles(file.Weight), dweight = new double[weight.Length];
        double[] bias = Data.Doubles(file.Bias), dbias = new double[bias.Length];
        LayerOracle oracle = new(layer, file.Settings, weight, bias, epsilon);
        for (int i = 0; i < file.Steps.Count; i++)
        {
            GoldenStep step = file.Steps[i];
            double[] y = oracle.Forward(step.Shape, Data.Doubles(step.X), step.Training);
            Close.Relative(Tolerance, step.Y, y, $"step {i}: y", scale: 1);
            if (step.Dy is not null)
            {
                double[] dy = Data.Doubles(step.Dy);
                (double[] dx, double[] weightGradient, double[] biasGradient) = oracle.Backward(dy);
                Close.Relative(Tolerance, step.Dx, dx, $"step {i}: dx", oracle.LargestScale);
                Add(dweight, weightGradient);
                Add(dbias, biasGradient);
            }

            Close.Relative(Tolerance, step.WeightGrad, dweight, $"step {i}: weight gradient", scale: 100);
            Close.Relative(Tolerance, step.BiasGrad, dbias, $"step {i}: bias gradient");
            CheckBuffers(oracle, step, $"step {i}");
        }
    }

    private static void CheckBuffers(LayerOracle oracle, GoldenStep step, string when)
    {
        foreach ((string name, double[] expected) in step.Buffers)
        {
            double[] actual = oracle.Buffer(name);
            Close.Relative(Tolerance, expected, actual, $"{when}: {name}", scale: 1);
            for (int i = 0; i < actual.Length; i++)
                actual[i] = (float)expected[i];
        }

        if (step.NumBatchesTracked is not null)
            Assert.AreEqual(step.NumBatchesTracked.Value, oracle.Batches, $"{when}: number of batches tracked");
    }

    private static void Add(double[] sums, double[] terms)
    {
        for (int i = 0; i < sums.Length; i++)
            sums[i] += terms[i];
    }
}
