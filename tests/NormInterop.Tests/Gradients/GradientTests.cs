using NormInterop.Tests.Support;

namespace NormInterop.Tests.Gradients;

/// <summary>Backward against finite differences of forward, in double: no formula of a gradient is written down here.</summary>
[TestClass]
public sealed class GradientTests
{
    // Central differences of sixth order. The error of the quotient is about Step^6 times the seventh derivative, and the rounding of the
    // loss over Step: both stay below 1e-10 where the standard deviations of the input are near 1.
    private const double Step = 1.0 / 512;
    private const double Tolerance = 1e-9;

    private static readonly (int Steps, double Weight)[] Stencil =
        [(1, 45 / 60.0), (-1, -45 / 60.0), (2, -9 / 60.0), (-2, 9 / 60.0), (3, 1 / 60.0), (-3, -1 / 60.0)];

    // ReLU has no derivative at 0, and is compared with a mask to the bit elsewhere.
    private static readonly ModuleCase[] Activated =
    [
        .. ModuleCase.All.Where(c => (c.Layer, c.Name) is ("BatchNorm2d", "3x3x2x3 affine tracking") or ("InstanceNorm1d", "2x3x5 affine")
                or ("GroupNorm", "2x4x2x3 in 2 affine") or ("GroupNorm", "3x6 in 2 affine"))
            .Select(c => c with { Name = $"{c.Name} SiLU", Settings = c.Settings with { Activation = Activation.SiLU } }),
    ];

    public static IEnumerable<object[]> Cases =>
        from c in ModuleCase.All.Concat(Activated)
        from form in new[] { Form.Contiguous, Form.ChannelsLast, Form.Reversed }
        where form is not Form.ChannelsLast || c.Shape.Length > 2
        from training in new[] { true, false }
        select new object[] { c.Layer, c.Name, form, training };

    /// <summary>The module types that the cases check.</summary>
    internal static IEnumerable<Type> Covered => Cases.Select(c => ModuleTypes.ByName[(string)c[0]]).Distinct();

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Backward_IsTheDerivativeOfForward(string layer, string name, Form form, bool training)
    {
        ModuleCase c = ModuleCase.All.Concat(Activated).Single(c => c.Layer == layer && c.Name == name);
        NormModule<double> module = ModuleTypes.Make<double>(c.Layer, c.Settings);
        ModuleTypes.Vary(module);
        module.Train(training);
        int count = Tensors.Count(c.Shape);
        double[] x = Data.Doubles(Values.Of(1, count)), dy = Data.Doubles(Values.Of(2, count));

        module.Forward(Data.Make<double>(x, c.Shape, form));
        double[] dx = Data.Flat(module.Backward(Data.Make<double>(dy, c.Shape, form)));

        double Loss() => Data.Flat(module.Forward(Data.Make<double>(x, c.Shape, form))).Zip(dy, (a, b) => a * b).Sum();
        Check(dx, Derivative(Loss, i => x[i], (i, value) => x[i] = value, count), "dx");
        foreach ((string parameterName, Parameter<double>? parameter) in new[] { ("weight", module.Weight), ("bias", module.Bias) })
        {
            if (parameter is null)
                continue;
            double[] values = Data.Flat(parameter.Value), gradient = Data.Flat(parameter.Gradient);
            double[] numeric = Derivative(
                Loss, i => values[i], (i, value) => Set(parameter, values, i, value), values.Length);
            Check(gradient, numeric, $"{parameterName} gradient");
        }
    }

    // Relative to the largest element. A gradient of nothing but zeros would agree with a forward that ignores its input.
    private static void Check(double[] analytic, double[] numeric, string name)
    {
        Assert.IsGreaterThan(1e-3, numeric.Max(Math.Abs), $"{name}: the check says nothing of gradients this small");
        Close.Relative(Tolerance, numeric, analytic, name);
    }

    private static double[] Derivative(Func<double> loss, Func<int, double> get, Action<int, double> set, int count)
    {
        double[] derivative = new double[count];
        for (int i = 0; i < count; i++)
        {
            double value = get(i);
            foreach ((int steps, double weight) in Stencil)
            {
                set(i, value + (steps * Step));
                derivative[i] += weight * loss() / Step;
            }

            set(i, value);
        }

        return derivative;
    }

    private static void Set(Parameter<double> parameter, double[] values, int i, double value)
    {
        values[i] = value;
        Data.Make<double>(values, [.. parameter.Value.Lengths.ToArray().Select(length => (int)length)]).CopyTo(parameter.Value);
    }
}
