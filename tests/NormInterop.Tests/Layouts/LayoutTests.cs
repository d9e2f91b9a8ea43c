using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Layouts;

/// <summary>The same numbers in every order of memory: the same results, in the format of the input.</summary>
/// <remarks>
/// Kernels compute in the input's format if it is dense, otherwise in the contiguous one. Equal bits are expected where that format is
/// equal; between the two formats sums are taken in another order.
/// </remarks>
[TestClass]
public sealed class LayoutTests
{
    private static readonly Form[] Forms = Enum.GetValues<Form>();

    /// <summary>Dimensions of length 1 are in both formats at once, wherever they stand.</summary>
    public static IEnumerable<string> Shapes =>
    [
        "4x3", "4x3x5", "1x3x5", "4x3x2x5", "1x3x4x5", "4x1x2x5", "4x3x1x1", "4x3x1x5", "4x3x5x1", "1x1x3x4", "1x3x1x7", "2x1x1x1",
        "2x3x4x3x2", "2x17x1x3x1",
    ];

    public static IEnumerable<object[]> ShapesAndForms => from shape in Shapes from form in Forms select new object[] { shape, form };

    [TestMethod]
    [DynamicData(nameof(ShapesAndForms))]
    public void Tensors_GiveTheSameInEveryForm(string lengths, Form form)
    {
        int[] shape = Tensors.Shape(lengths);
        foreach (bool training in new[] { true, false })
        {
            (BatchNorm<float> norm, BatchNorm<float> contiguous) = (Layers.Varied(shape), Layers.Varied(shape));
            float[] x = Values.Of(1, Tensors.Count(shape)), dy = Values.Of(2, Tensors.Count(shape));
            Tensor<float> input = Tensors.Make(x, shape, form);
            Tensor<float> y = norm.Train(training).Forward(input), dx = norm.Backward(Tensors.Make(dy, shape, form));
            Tensor<float> expectedY = contiguous.Train(training).Forward(Tensors.Make(x, shape));
            Tensor<float> expectedDx = contiguous.Backward(Tensors.Make(dy, shape));
            Form format = Tensors.FormatOf(shape, form);
            Assert.AreEqual(Tensors.Strides(Tensors.Poisoned(shape, format)), Tensors.Strides(y), "strides of y");
            Assert.AreEqual(Tensors.Strides(y), Tensors.Strides(dx), "strides of dx");
            AssertSame(expectedY, y, format, "y");
            AssertSame(expectedDx, dx, format, "dx");
            foreach (((string name, double[] a), (_, double[] b)) in new ModuleState(contiguous).Parts.Zip(new ModuleState(norm).Parts))
                AssertSame(a, b, format, name);
            Expect.SameBits(x, Tensors.Flat(input), "the input itself");
        }
    }

    /// <summary>Whatever formats the caller's four tensors have, the bits are those of the input's format.</summary>
    [TestMethod]
    [DynamicData(nameof(ShapesAndForms))]
    public void Spans_MayMixForms(string lengths, Form inputForm)
    {
        int[] shape = Tensors.Shape(lengths);
        float[] x = Values.Of(1, Tensors.Count(shape)), dy = Values.Of(2, Tensors.Count(shape));
        Form format = Tensors.FormatOf(shape, inputForm);
        foreach (bool training in new[] { true, false })
        {
            BatchNorm<float> pure = Layers.Varied(shape);
            float[] expectedY = Tensors.Flat(pure.Train(training).Forward(Tensors.Make(x, shape, format)));
            float[] expectedDx = Tensors.Flat(pure.Backward(Tensors.Make(dy, shape, format)));
            foreach (Form other in Forms)
            {
                Form next = Forms[((int)other + 2) % Forms.Length];
                BatchNorm<float> norm = Layers.Varied(shape);
                NormContext<float> context = new();
                Tensor<float> input = Tensors.Make(x, shape, inputForm), gradOutput = Tensors.Make(dy, shape, next);
                Tensor<float> y = Tensors.Poisoned(shape, other), dx = Tensors.Poisoned(shape, other);
                norm.Train(training).Forward(input.AsReadOnlyTensorSpan(), y.AsTensorSpan(), context);
                norm.Backward(gradOutput.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), dx.AsTensorSpan(), context);
                Expect.SameBits(expectedY, Tensors.Flat(y), $"y in {other}");
                Expect.SameBits(expectedDx, Tensors.Flat(dx), $"dx in {other}, dy in {next}");
                Tensors.AssertSurroundingsUntouched(y, $"y in {other}");
                Tensors.AssertSurroundingsUntouched(dx, $"dx in {other}");
                new ModuleState(pure).AssertEqual(new ModuleState(norm), $"{other} and {next}");
            }
        }
    }

    /// <summary>A stride of 0 repeats elements; for reading that is a tensor like any other.</summary>
    [TestMethod]
    [DataRow("0,10,5,1", "3x2x5")]
    [DataRow("10,0,5,1", "4x2x5")]
    [DataRow("15,5,0,1", "4x3x5")]
    [DataRow("6,2,1,0", "4x3x2")]
    [DataRow("0,1,0,0", "3")]
    public void BroadcastInputs_AreReadAsWhatTheyStandFor(string strides, string memory)
    {
        int[] shape = [4, 3, 2, 5];
        nint[] steps = Array.ConvertAll(strides.Split(','), nint.Parse);
        Tensor<float> narrow = Tensor.Create(Values.Of(1, Tensors.Count(Tensors.Shape(memory))), Tensors.Lengths(shape), steps);
        Tensor<float> narrowDy = Tensor.Create(Values.Of(2, Tensors.Count(Tensors.Shape(memory))), Tensors.Lengths(shape), steps);
        Tensor<float> wide = Tensors.Make(Tensors.Flat(narrow), shape), wideDy = Tensors.Make(Tensors.Flat(narrowDy), shape);
        BatchNorm<float> one = Layers.Varied(shape), other = Layers.Varied(shape);
        Expect.SameBits(Tensors.Flat(one.Forward(wide)), Tensors.Flat(other.Forward(narrow)), "y");
        Expect.SameBits(Tensors.Flat(one.Backward(wideDy)), Tensors.Flat(other.Backward(narrowDy)), "dx");
        new ModuleState(one).AssertEqual(new ModuleState(other), "afterwards");
    }

    /// <summary>The gradient of a sum is the number 1, broadcast: what the simplest training loop passes.</summary>
    [TestMethod]
    public void GradientOfASum_IsASingleNumber()
    {
        int[] shape = [4, 3, 2, 5];
        BatchNorm<float> one = Layers.Varied(shape), other = Layers.Varied(shape);
        Tensor<float> x = Tensors.Make(Values.Of(1, 120), shape), ones = Tensor.CreateFromShape<float>(Tensors.Lengths(shape));
        ones.Fill(1);
        one.Forward(x);
        other.Forward(x);
        Tensor<float> broadcast = Tensor.Create<float>([1], Tensors.Lengths(shape), new nint[4]);
        Expect.SameBits(Tensors.Flat(one.Backward(ones)), Tensors.Flat(other.Backward(broadcast)), "dx");
        CollectionAssert.AreEqual(new float[] { 40, 40, 40 }, Tensors.Flat(other.Bias!.Gradient));
    }

    private static void AssertSame(Tensor<float> expected, Tensor<float> actual, Form format, string name) =>
        AssertSame(Data.Flat(expected), Data.Flat(actual), format, name);

    private static void AssertSame(double[] expected, double[] actual, Form format, string name)
    {
        if (format is Form.Contiguous)
            Expect.SameBits(expected, actual, name);
        else
            Close.Relative(1e-5, expected, actual, name, scale: 1);
    }
}
