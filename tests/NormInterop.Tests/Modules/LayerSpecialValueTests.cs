using NormInterop.Tests.Support;

namespace NormInterop.Tests.Modules;

/// <summary>Constants without eps, NaN and infinity, in every layer, type and format.</summary>
[TestClass]
public sealed class LayerSpecialValueTests
{
    public static IEnumerable<object[]> Cases =>
        from c in LayerShapes.Medium
        from type in Data.Types
        from form in new[] { Form.Contiguous, Form.ChannelsLast }
        where form is Form.Contiguous || c.Shape.Length > 2
        select new object[] { c.Layer, c.Name, type, form };

    public static IEnumerable<object[]> Normalizing => Cases.Where(c => c[0] is not "CaffeScale");

    /// <summary>Where var + eps is 0, invstd is 0: y is beta, x^ is 0, and every gradient is finite.</summary>
    [TestMethod]
    [DynamicData(nameof(Normalizing))]
    public void NoVarianceAndNoEps_GiveBetaAndFiniteGradients(string layer, string name, string type, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        ElementMap map = new(layer, c.Settings, c.Shape);
        double[] dy = Data.SixteenBit(1, Tensors.Count(c.Shape));
        foreach (bool training in new[] { true, false })
        {
            AnyLayer module = AnyLayer.Make(type, layer, c.Settings with { Eps = 0 }).Train(training);
            module.ClearBuffers();

            // Constants of the sets: 1.7, 2.7 and so on; of RMSNorm, whose mean is no matter, only 0 has no size.
            double[] x = [.. dy.Select((_, i) => layer is "RMSNorm" ? 0 : 1.7 + (map.Set(i) % 5))];
            double[] bias = module.State["bias"], y = module.Forward(x, c.Shape, form), dx = module.Backward(dy, c.Shape, form);
            double[] beta = bias.Length == 0 ? new double[x.Length] : module.Rounded([.. x.Select((_, i) => bias[map.Parameter(i)])]);
            string when = $"training {training}";
            Close.Within(0, beta, y, $"y, {when}");
            Assert.IsTrue(dx.All(value => value == 0), $"dx, {when}");
            Assert.IsTrue(module.State["weight gradient"].All(value => value == 0), $"weight gradient, {when}");
            double[] sums = new double[bias.Length];
            for (int i = 0; i < (bias.Length == 0 ? 0 : x.Length); i++)
                sums[map.Parameter(i)] += dy[i];
            Close.Relative(1e-6, sums, module.State["bias gradient"], $"bias gradient, {when}");
        }
    }

    /// <summary>With eps 0 and a variance, results are those of the formula.</summary>
    [TestMethod]
    [DynamicData(nameof(Normalizing))]
    public void NoEps_IsAccurate(string layer, string name, string type, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        AnyLayer module = AnyLayer.Make(type, layer, c.Settings with { Eps = 0 });
        double[] x = module.Rounded(Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))));
        double[] expected = module.Oracle.Forward(c.Shape, x, training: true);
        Close.Relative(
            type is "double" ? 1e-13 : type is "float" ? 1e-6 : 8e-3, expected, module.Forward(x, c.Shape, form), "y", scale: 1);
    }

    /// <summary>One value that is no number takes with it what it is normalized with, and leaves no trace in anything else.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void NotANumber_StaysInItsSet(string layer, string name, string type, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        double[] clean = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), dy = Data.Doubles(Values.Of(2, clean.Length));
        foreach (bool training in new[] { true, false })
        {
            AnyLayer healthy = AnyLayer.Make(type, c).Train(training);
            double[] y = healthy.Forward(clean, c.Shape, form), dx = healthy.Backward(dy, c.Shape, form);
            foreach ((double bad, double place) in new[]
            {
                (double.NaN, 0), (double.PositiveInfinity, 0.5), (double.NegativeInfinity, 1), (double.NaN, 0.77),
            })
            {
                int at = (int)((clean.Length - 1) * place);
                Sick sick = new(c, at, training);
                double[] x = [.. clean];
                x[at] = bad;
                AnyLayer module = AnyLayer.Make(type, c).Train(training);
                string when = $"with {bad} at {at}, training {training}";

                // RMSNorm divides by the infinite: the others become 0, and gradients whatever 0 times infinity makes of them.
                bool rms = layer is "RMSNorm" && double.IsInfinity(bad);
                double[] sickY = module.Forward(x, c.Shape, form);
                if (rms)
                    AssertOnlySick(y, sickY, sick.Element, value => value == 0 || double.IsNaN(value), $"y {when}");
                AssertOnlySick(y, sickY, sick.Element, rms || (sick.Alone && double.IsInfinity(bad)) ? null : double.IsNaN, $"y {when}");
                AssertOnlySick(
                    dx, module.Backward(dy, c.Shape, form), i => !sick.Alone && sick.Element(i), rms ? null : double.IsNaN, $"dx {when}");
                ModuleState state = module.State;
                const string weight = "weight gradient";
                AssertOnlySick(healthy.State[weight], state[weight], sick.Parameter, rms ? null : NotFinite, $"{weight} {when}");
                Expect.SameBits(healthy.State["bias gradient"], state["bias gradient"], $"bias gradient {when}");
                foreach (string buffer in new[] { "running mean", "running var", "mean sum", "variance sum" })
                {
                    bool Moved(int i) => training && sick.Parameter(i);
                    AssertOnlySick(healthy.State[buffer], state[buffer], Moved, NotFinite, $"{buffer} {when}");
                }

                Expect.SameBits(healthy.State["factor"], state["factor"], $"factor {when}");
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void NotANumber_InTheGradient_StaysInItsSet(string layer, string name, string type, Form form)
    {
        ModuleCase c = LayerShapes.Of(layer, name);
        double[] x = Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))), clean = Data.Doubles(Values.Of(2, x.Length));
        foreach (bool training in new[] { true, false })
        {
            AnyLayer healthy = AnyLayer.Make(type, c).Train(training);
            healthy.Forward(x, c.Shape, form);
            double[] dx = healthy.Backward(clean, c.Shape, form);
            foreach ((double bad, double place) in new[] { (double.NaN, 0.0), (double.NaN, 0.6), (double.NegativeInfinity, 1.0) })
            {
                int at = (int)((x.Length - 1) * place);
                Sick sick = new(c, at, training);
                double[] dy = [.. clean];
                dy[at] = bad;
                AnyLayer module = AnyLayer.Make(type, c).Train(training);
                module.Forward(x, c.Shape, form);
                string when = $"with {bad} at {at}, training {training}";
                AssertOnlySick(dx, module.Backward(dy, c.Shape, form), sick.Element, NotFinite, $"dx {when}");
                ElementMap map = new(layer, c.Settings, c.Shape);
                bool Own(int i) => i == map.Parameter(at);
                foreach (string part in new[] { "weight gradient", "bias gradient" })
                    AssertOnlySick(healthy.State[part], module.State[part], Own, NotFinite, $"{part} {when}");
            }
        }
    }

    /// <summary>A group or a row of one value has no deviation from its mean: y is exactly beta, dx what rounding leaves.</summary>
    [TestMethod]
    [DataRow("GroupNorm", "5x6", "6")]
    [DataRow("LayerNorm", "5x6x1", "1")]
    [DataRow("LayerNorm", "1x1", "1")]
    [DataRow("CaffeBatchNorm", "1x6", "")]
    [DataRow("CaffeBatchNorm", "1x6x1x1", "")]
    public void SetsOfOneValue_GiveBeta(string layer, string lengths, string set)
    {
        int[] shape = Tensors.Shape(lengths), part = set.Length == 0 ? [1] : [int.Parse(set, null)];
        ModuleSettings settings = new() { Channels = shape[1], Groups = layer is "GroupNorm" ? part[0] : 1, Shape = part };
        foreach (string type in Data.Types)
        {
            AnyLayer module = AnyLayer.Make(type, layer, settings);
            ElementMap map = new(layer, settings, shape);
            double[] x = Data.Doubles(Values.Of(1, Tensors.Count(shape), offset: 3)), bias = module.State["bias"];
            double[] beta = [.. x.Select((_, i) => bias.Length == 0 ? 0 : bias[map.Parameter(i)])];
            Close.Within(0, module.Rounded(beta), module.Forward(x, shape), "y");
            double terms = x.Max(Math.Abs) * Math.Max(1, module.State["weight"].Select(Math.Abs).DefaultIfEmpty(1).Max()) / Math.Sqrt(1e-5);
            Close.Within(terms * (type is "double" ? 4e-16 : 2.4e-7), new double[x.Length], module.Backward(x, shape), "dx");
        }
    }

    private static bool NotFinite(double value) => !double.IsFinite(value);

    // What is sick satisfies the condition, if there is one; all else has the bits that it has without the sick value.
    private static void AssertOnlySick(
        double[] healthy, double[] actual, Func<int, bool> sick, Func<double, bool>? condition, string name)
    {
        Assert.HasCount(healthy.Length, actual, name);
        for (int i = 0; i < actual.Length; i++)
        {
            if (!sick(i))
            {
                if (BitConverter.DoubleToUInt64Bits(healthy[i]) != BitConverter.DoubleToUInt64Bits(actual[i]))
                    Assert.Fail($"{name}: element {i} is {actual[i]:R}, expected {healthy[i]:R} as without it");
            }
            else if (condition is not null && !condition(actual[i]))
            {
                Assert.Fail($"{name}: element {i} is {actual[i]:R}, expected it to be no number");
            }
        }
    }

    // How far a value reaches: its element alone where statistics are given, otherwise the set, and the parameters of the set.
    private sealed class Sick
    {
        private readonly ElementMap _map;
        private readonly int _at;
        private readonly HashSet<int> _parameters;

        internal Sick(ModuleCase c, int at, bool training)
        {
            _map = new ElementMap(c.Layer, c.Settings, c.Shape);
            _at = at;
            Alone = c.Layer is "CaffeScale" || (!training && (c.Layer is "CaffeBatchNorm" || c.Layer.EndsWith('d')));
            _parameters = [.. Enumerable.Range(0, Tensors.Count(c.Shape)).Where(Element).Select(_map.Parameter)];
        }

        internal bool Alone { get; }

        internal bool Element(int i) => Alone ? i == _at : _map.Set(i) == _map.Set(_at);

        internal bool Parameter(int i) => _parameters.Contains(i);
    }
}
