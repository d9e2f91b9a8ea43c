using System.Numerics;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Fused;

/// <summary>What may follow a normalization, as steps of plain C# that round to the data type one by one.</summary>
internal static class FusedSteps
{
    internal const string Residual = "Residual";

    /// <summary>The activations, and ReLU of a sum.</summary>
    internal static readonly string[] Names = ["None", "ReLU", "SiLU", Residual];

    internal static Activation Activation(string step) =>
        step is Residual ? NormInterop.Activation.ReLU : Enum.Parse<Activation>(step);

    /// <summary>Fails where an output is not the activation of z + r, or of z: to the bit, save for the logistic function.</summary>
    internal static void CheckOutput<TData>(string step, double[] z, double[] r, double[] y)
        where TData : unmanaged, INumber<TData>
    {
        if (step is not "SiLU")
        {
            Expect.SameBits([.. z.Select((value, i) => double.CreateTruncating(Exact<TData>(step, value, r[i])))], y, $"y, {step}");
            return;
        }

        double[] expected = Array.ConvertAll(z, value => value * Logistic(value));
        if (typeof(TData) == typeof(Half) || typeof(TData) == typeof(BFloat16))
        {
            SixteenBitFormat.Of<TData>().AssertRounded(expected, y, "y, SiLU");
            return;
        }

        // The formula in double is itself a few units off, of which one more of float is far too much.
        bool single = typeof(TData) == typeof(float);
        double units = single ? 2.01 : 8;
        for (int i = 0; i < z.Length; i++)
        {
            double unit = Math.ScaleB(1, Math.ILogB(expected[i]) - (single ? 23 : 52));
            Assert.IsLessThanOrEqualTo(units, Math.Abs(expected[i] - y[i]) / unit, $"y, SiLU: units that element {i} is off");
        }
    }

    /// <summary>The gradient of z, rounded to the data type. To the bit, save for the logistic function.</summary>
    internal static double[] Gradient<TData>(string step, double[] z, double[] r, double[] dy)
        where TData : unmanaged, INumber<TData> => [.. dy.Select((value, i) => step switch
        {
            "None" => value,
            "SiLU" => Rounded<TData>(value * Logistic(z[i]) * (1 + (z[i] * (1 - Logistic(z[i]))))),
            _ => Passes(Sum<TData>(step, z[i], r[i])) ? value : 0,
        })];

    private static TData Exact<TData>(string step, double z, double r)
        where TData : unmanaged, INumber<TData>
    {
        TData sum = Sum<TData>(step, z, r);
        return step is "None" || Passes(sum) ? sum : TData.Zero;
    }

    private static TData Sum<TData>(string step, double z, double r)
        where TData : unmanaged, INumber<TData> =>
        step is Residual ? TData.CreateTruncating(z) + TData.CreateTruncating(r) : TData.CreateTruncating(z);

    private static bool Passes<TData>(TData sum)
        where TData : unmanaged, INumber<TData> => sum > TData.Zero || TData.IsNaN(sum);

    private static double Rounded<TData>(double value)
        where TData : unmanaged, INumber<TData> => double.CreateTruncating(TData.CreateTruncating(value));

    private static double Logistic(double z) => 1 / (1 + Math.Exp(-z));
}
