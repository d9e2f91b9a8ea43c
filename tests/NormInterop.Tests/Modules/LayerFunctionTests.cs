using System.Numerics;
using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Norm.*: any combination of weight and bias, in every type, computes what the reference does and what the modules do.</summary>
[TestClass]
public sealed class LayerFunctionTests
{
    public static IEnumerable<object[]> Combinations =>
        from function in FunctionCall.Names
        from weight in new[] { true, false }
        from bias in new[] { true, false }
        where !bias || function is not "RmsNorm"
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast, Form.Sliced }
        select new object[] { function, weight, bias, type, form };

    [TestMethod]
    [DynamicData(nameof(Combinations))]
    public void Function_ComputesWhatTheReferenceDoes(string function, bool weight, bool bias, string type, Form form)
    {
        switch (type)
        {
            case "float":
                Reference<float, float>(function, weight, bias, form, 2e-6);
                break;
            case "double":
                Reference<double, double>(function, weight, bias, form, 1e-13);
                break;
            case "Half":
                Reference<Half, float>(function, weight, bias, form, Math.Pow(2, -10));
                break;
            default:
                Reference<BFloat16, float>(function, weight, bias, form, Math.Pow(2, -7));
                break;
        }
    }

    private static void Reference<TData, T>(string function, bool withWeight, bool withBias, Form form, double tolerance)
        where TData : unmanaged, INumberBase<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int[] shape = [4, 6, 5], lengths = FunctionCall.Parameters(function, shape);
        double[] x = Data.SixteenBit(1, 120, offset: 1), dy = Data.SixteenBit(2, 120);
        double[] gamma = withWeight ? Data.SixteenBit(3, lengths[0]) : [], beta = withBias ? Data.SixteenBit(4, lengths[0]) : [];
        LayerOracle oracle = new(FunctionCall.Layer(function), FunctionCall.Settings(function, shape, 1e-3), gamma, beta, 0);
        double[] expected = oracle.Forward(shape, x, training: true);
        (double[] dx, double[] dgamma, double[] dbeta) = oracle.Backward(dy);

        Tensor<T>? weight = withWeight ? Data.Make<T>(gamma, lengths) : null, bias = withBias ? Data.Make<T>(beta, lengths) : null;
        Tensor<T>? dweight = withWeight ? Data.Make<T>(new double[lengths[0]], lengths) : null;
        Tensor<T>? dbias = withBias ? Data.Make<T>(new double[lengths[0]], lengths) : null;
        NormContext<T> context = new();
        Tensor<TData> y = FunctionCall.Forward(function, Data.Make<TData>(x, shape, form), context, weight, bias, 1e-3);
        Close.Relative(tolerance, expected, Data.Flat(y), "y", scale: 1);
        Tensor<TData> actual = FunctionCall.Backward(function, Data.Make<TData>(dy, shape, form), context, weight, dweight, dbias);
        Close.Relative(tolerance, dx, Data.Flat(actual), "dx", oracle.LargestScale * dy.Max(Math.Abs));
        double exact = typeof(T) == typeof(double) ? 1e-13 : 2e-6;
        if (dweight is not null)
            Close.Relative(exact, dgamma, Data.Flat(dweight), "weight gradient", scale: 1);
        if (dbias is not null)
            Close.Relative(exact, dbeta, Data.Flat(dbias), "bias gradient", scale: 1);
        Assert.IsFalse(context.IsPending);
    }

    /// <summary>Gradients are added to, and may be asked for one by one, with or without the parameter being there.</summary>
    [TestMethod]
    [DataRow("BatchNorm")]
    [DataRow("LayerNorm")]
    [DataRow("GroupNorm")]
    [DataRow("InstanceNorm")]
    [DataRow("RmsNorm")]
    public void Gradients_MayBeAskedForOneByOne(string function)
    {
        int[] shape = [4, 6, 5], lengths = FunctionCall.Parameters(function, shape);
        Tensor<float> x = Tensors.Random(1, shape), dy = Tensors.Random(2, shape), weight = Tensors.Random(3, lengths);
        (float[] Dx, float[] Dweight, float[] Dbias) Run(bool wantWeight, bool wantBias)
        {
            NormContext<float> context = new();
            Tensor<float> dweight = Tensors.Make(new float[lengths[0]], lengths), dbias = Tensors.Make(new float[lengths[0]], lengths);
            FunctionCall.Forward(function, x, context, weight);
            Tensor<float> dx = FunctionCall.Backward(
                function, dy, context, weight, wantWeight ? dweight : null, wantBias ? dbias : null);
            return (Tensors.Flat(dx), Tensors.Flat(dweight), Tensors.Flat(dbias));
        }

        (float[] Dx, float[] Dweight, float[] Dbias) all = Run(true, true), weightOnly = Run(true, false), biasOnly = Run(false, true);
        foreach ((float[] Dx, float[] Dweight, float[] Dbias) run in new[] { weightOnly, biasOnly, Run(false, false) })
            Expect.SameBits(all.Dx, run.Dx, "dx");
        Expect.SameBits(all.Dweight, weightOnly.Dweight, "weight gradient alone");
        Expect.SameBits(all.Dbias, biasOnly.Dbias, "bias gradient alone");
        Assert.IsTrue(weightOnly.Dbias.Concat(biasOnly.Dweight).All(value => value == 0), "gradients that were not asked for");
        Assert.IsTrue(function is "RmsNorm" || all.Dbias.Any(value => value != 0));
    }

    /// <summary>Functions and modules are two ways to the same kernels, with the state in different hands.</summary>
    [TestMethod]
    [DataRow("LayerNorm")]
    [DataRow("GroupNorm")]
    [DataRow("InstanceNorm")]
    [DataRow("RmsNorm")]
    public void Function_HasTheBitsOfTheModule(string function)
    {
        int[] shape = [4, 6, 5];
        NormModule<float> norm = ModuleTypes.Make<float>(FunctionCall.Layer(function), FunctionCall.Settings(function, shape, 1e-5));
        NormModule<float> state = ModuleTypes.Make<float>(FunctionCall.Layer(function), FunctionCall.Settings(function, shape, 1e-5));
        ModuleTypes.Vary(norm);
        ModuleTypes.Vary(state);
        Tensor<float> x = Tensors.Random(1, shape), dy = Tensors.Random(2, shape);
        NormContext<float> context = new();
        Tensor<float> y = FunctionCall.Forward(function, x, context, state.Weight!.Value, state.Bias?.Value);
        Expect.SameBits(Tensors.Flat(norm.Forward(x)), Tensors.Flat(y), "y");
        Tensor<float> dx = FunctionCall.Backward(function, dy, context, state.Weight.Value, state.Weight.Gradient, state.Bias?.Gradient);
        Expect.SameBits(Tensors.Flat(norm.Backward(dy)), Tensors.Flat(dx), "dx");
        new ModuleState(norm).AssertEqual(new ModuleState(state), "afterwards");
        Assert.AreEqual(Tensors.Flat(y).Length, Tensors.Flat(FunctionCall.Forward<float, float>(function, x, null)).Length);
    }

    [TestMethod]
    public void InstanceNorm_UpdatesAndUsesRunningBuffers()
    {
        int[] shape = [4, 6, 5];
        InstanceNorm1d<float> norm = new(6, 1e-3, 0.3, affine: true, trackRunningStats: true), state = new(6, 1e-3, 0.3, true, true);
        ModuleTypes.Vary(norm);
        ModuleTypes.Vary(state);
        Tensor<float> x = Tensors.Random(1, shape);
        foreach (bool training in new[] { true, false })
        {
            Tensor<float> y = Norm.InstanceNorm(
                x, state.RunningMean, state.RunningVar, state.Weight!.Value, state.Bias!.Value, training, 0.3, 1e-3);
            Expect.SameBits(Tensors.Flat(norm.Train(training).Forward(x)), Tensors.Flat(y), $"y, training {training}");
            new ModuleState(norm).AssertSameNumbers(new ModuleState(state), $"training {training}");
        }
    }

    /// <summary>Without eps, RmsNorm takes the machine epsilon of the type that it computes in, also for 16-bit data.</summary>
    [TestMethod]
    public void RmsNorm_WithoutEps_TakesTheMachineEpsilonOfTheParameters()
    {
        Expect.SameBits(Of<float, float>(Math.Pow(2, -23)), Of<float, float>(null), "float");
        Expect.SameBits(Of<Half, float>(Math.Pow(2, -23)), Of<Half, float>(null), "Half");
        Expect.SameBits(Of<BFloat16, float>(Math.Pow(2, -23)), Of<BFloat16, float>(null), "BFloat16");
        Expect.SameBits(Of<double, double>(Math.Pow(2, -52)), Of<double, double>(null), "double");
        Assert.AreNotEqual(Of<double, double>(Math.Pow(2, -23))[0], Of<double, double>(null)[0]);

        static double[] Of<TData, T>(double? eps)
            where TData : unmanaged, INumberBase<TData>
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            double[] x = [.. Enumerable.Range(1, 4).Select(i => i * Math.Pow(2, -13))];
            double[] y = Data.Flat(Norm.RmsNorm<TData, T>(Data.Make<TData>(x, [1, 4]), [4], eps: eps));
            Expect.SameBits(y, Data.Flat(new RMSNorm<T>([4], eps).Forward(Data.Make<TData>(x, [1, 4]))), "module");
            return y;
        }
    }
}
