using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Golden;

/// <summary>Every golden file through its module, in every type and form: outputs, gradients and buffers after every step.</summary>
[TestClass]
public sealed class GoldenTests
{
    /// <summary>
    /// Layer, file, type of the data and form of the tensors. All forms but the contiguous one need a dimension behind the channels to
    /// differ from it, and 16-bit data need inputs that are exact there.
    /// </summary>
    public static IReadOnlyList<object[]> Cases { get; } =
    [
        .. from entry in Files
        let layer = entry.Layer
        let name = entry.Name
        let file = GoldenFile.Load(layer, name)
        from data in Data.Types
        where file.HoldsFor(data is "double" ? typeof(double) : typeof(float)) && (file.SixteenBit || data is "float" or "double")
        from form in new[] { Form.Contiguous, Form.ChannelsLast, Form.Reversed }
        where form is Form.Contiguous || file.Steps[0].Shape.Length > 2
        select new object[] { layer, name, data, form },
    ];

    /// <summary>All files for their layers; and those of BatchNorm for SyncBatchNorm, which PyTorch does not have on the CPU.</summary>
    private static IEnumerable<(string Layer, string Name)> Files =>
        (from layer in GoldenFile.Layers from name in GoldenFile.Names(layer) select (layer, name)).Concat(
            from layer in new[] { "BatchNorm1d", "BatchNorm2d", "BatchNorm3d" }
            from name in GoldenFile.Names(layer)
            select ("SyncBatchNorm", $"{layer}/{name}"));

    /// <summary>The module types that the cases run.</summary>
    internal static IEnumerable<Type> Covered => Cases.Select(c => ModuleTypes.ByName[(string)c[0]]).Distinct();

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void EveryStep_GivesTheGoldenNumbers(string layer, string name, string data, Form form)
    {
        GoldenFile file = GoldenFile.Load(layer, name);
        switch (data)
        {
            case "float":
                Run<float, float>(file, form);
                break;
            case "double":
                Run<double, double>(file, form);
                break;
            case "Half":
                Run<Half, float>(file, form);
                break;
            default:
                Run<BFloat16, float>(file, form);
                break;
        }
    }

    private static void Run<TData, T>(GoldenFile file, Form form)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NormModule<T> module = ModuleTypes.Make<T>(file.Layer, file.Settings);
        Copy(file.Weight, module.Weight);
        Copy(file.Bias, module.Bias);
        Assert.IsNotEmpty(file.Steps);
        for (int i = 0; i < file.Steps.Count; i++)
        {
            GoldenStep step = file.Steps[i];
            module.Train(step.Training);
            double termsOfDx = RunStep<TData, T>(module, file, step, form, $"step {i}");
            CheckGradients(module, step, termsOfDx, $"step {i}");
            CheckBuffers(module, step, $"step {i}");
        }
    }

    private static double RunStep<TData, T>(NormModule<T> module, GoldenFile file, GoldenStep step, Form form, string when)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        LayerOracle oracle = ModuleTypes.Oracle(file.Layer, file.Settings, module);
        double[] x = Data.Doubles(step.X), dy = Data.Doubles(step.Dy);
        oracle.Forward(step.Shape, x, step.Training);

        Tensor<TData> y = module.Forward(Data.Make<TData>(x, step.Shape, form));
        AssertLengths(step.Shape, y, $"{when}: y");
        Check<TData, T>(step.Y, Data.Flat(y), $"{when}: y", scale: 1);
        if (step.Dy is null)
            return 0;

        Tensor<TData> dx = module.Backward(Data.Make<TData>(dy, step.Shape, form));
        AssertLengths(step.Shape, dx, $"{when}: dx");
        Check<TData, T>(step.Dx!, Data.Flat(dx), $"{when}: dx", oracle.LargestScale * dy.DefaultIfEmpty(0).Max(Math.Abs));

        // The size of dy * x^, with the same allowance for weights as in the scale above.
        return dy.DefaultIfEmpty(0).Max(Math.Abs) * (1 + (oracle.LargestScale * x.DefaultIfEmpty(0).Max(Math.Abs)));
    }

    // 16-bit results are the rounded ones or their neighbours; of the others, the scale is the size of the terms that they are made of.
    private static void Check<TData, T>(double[] expected, double[] actual, string name, double scale)
    {
        if (typeof(TData) == typeof(float) || typeof(TData) == typeof(double))
            Close.Relative(Tolerance<T>(), expected, actual, name, scale);
        else
            SixteenBitFormat.Of<TData>().AssertRounded(expected, actual, name);
    }

    private static double Tolerance<T>() => typeof(T) == typeof(float) ? 1e-6 : 1e-12;

    private static void CheckGradients<T>(NormModule<T> module, GoldenStep step, double scale, string when)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((string name, double[]? expected, Parameter<T>? actual) in new[]
        {
            ("weight gradient", step.WeightGrad, module.Weight),
            ("bias gradient", step.BiasGrad, module.Bias),
        })
        {
            Assert.AreEqual(expected is null, actual is null, $"{when}: presence of {name}");
            if (expected is not null)
                Close.Relative(Tolerance<T>(), expected, Data.Flat(actual!.Gradient), $"{when}: {name}", scale);
        }
    }

    private static void CheckBuffers<T>(NormModule<T> module, GoldenStep step, string when)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Dictionary<string, Tensor<T>> actual = ModuleTypes.Buffers(module).ToDictionary();
        foreach ((string name, double[] expected) in step.Buffers)
        {
            Assert.IsTrue(actual.Remove(name, out Tensor<T>? buffer), $"{when}: {name} lacks");
            Close.Relative(Tolerance<T>(), expected, Data.Flat(buffer!), $"{when}: {name}", scale: 1);

            // The next step of the file starts from floats, also in double.
            if (typeof(T) == typeof(double))
                Data.Fill(buffer!, Array.ConvertAll(expected, value => (float)value));
        }

        Assert.IsEmpty(actual, $"{when}: buffers that the file does not have");
        if (module is RunningNorm<T> norm)
            Assert.AreEqual(step.NumBatchesTracked ?? 0, norm.NumBatchesTracked, $"{when}: number of batches tracked");
    }

    private static void AssertLengths<TData>(int[] shape, Tensor<TData> actual, string name) =>
        Assert.AreEqual(string.Join(", ", shape), string.Join(", ", actual.Lengths.ToArray()), $"{name}: lengths");

    private static void Copy<T>(float[]? values, Parameter<T>? parameter)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Assert.AreEqual(values is null, parameter is null, "presence of a parameter");
        if (parameter is not null)
            Data.Fill(parameter.Value, values!);
    }
}
