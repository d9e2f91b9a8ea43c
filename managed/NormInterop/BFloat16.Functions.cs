namespace NormInterop;

/// <content>Exponential, trigonometric and other functions: computed in double, rounded once.</content>
public readonly partial struct BFloat16
{
    private const double Ln2 = 0.6931471805599453;
    private const double Ln10 = 2.302585092994046;

    // Below it, a function's own slope at 0 is closer to it than rounding; above it, 1 + x in double keeps 29 bits of x.
    private const double Tiny = 1.0 / (1 << 24);

    /// <inheritdoc/>
    public static BFloat16 Acos(BFloat16 x) => (BFloat16)double.Acos((double)x);

    /// <inheritdoc/>
    public static BFloat16 AcosPi(BFloat16 x) => (BFloat16)double.AcosPi((double)x);

    /// <inheritdoc/>
    public static BFloat16 Acosh(BFloat16 x) => (BFloat16)double.Acosh((double)x);

    /// <inheritdoc/>
    public static BFloat16 Asin(BFloat16 x) => (BFloat16)double.Asin((double)x);

    /// <inheritdoc/>
    public static BFloat16 AsinPi(BFloat16 x) => (BFloat16)double.AsinPi((double)x);

    /// <inheritdoc/>
    public static BFloat16 Asinh(BFloat16 x) => (BFloat16)double.Asinh((double)x);

    /// <inheritdoc/>
    public static BFloat16 Atan(BFloat16 x) => (BFloat16)double.Atan((double)x);

    /// <inheritdoc/>
    public static BFloat16 Atan2(BFloat16 y, BFloat16 x) => (BFloat16)double.Atan2((double)y, (double)x);

    /// <inheritdoc/>
    public static BFloat16 Atan2Pi(BFloat16 y, BFloat16 x) => (BFloat16)double.Atan2Pi((double)y, (double)x);

    /// <inheritdoc/>
    public static BFloat16 AtanPi(BFloat16 x) => (BFloat16)double.AtanPi((double)x);

    /// <inheritdoc/>
    public static BFloat16 Atanh(BFloat16 x) => (BFloat16)double.Atanh((double)x);

    /// <inheritdoc/>
    public static BFloat16 Cbrt(BFloat16 x) => (BFloat16)double.Cbrt((double)x);

    /// <inheritdoc/>
    public static BFloat16 Cos(BFloat16 x) => (BFloat16)double.Cos((double)x);

    /// <inheritdoc/>
    public static BFloat16 CosPi(BFloat16 x) => (BFloat16)double.CosPi((double)x);

    /// <inheritdoc/>
    public static BFloat16 Cosh(BFloat16 x) => (BFloat16)double.Cosh((double)x);

    /// <inheritdoc/>
    public static BFloat16 DegreesToRadians(BFloat16 degrees) => (BFloat16)double.DegreesToRadians((double)degrees);

    /// <inheritdoc/>
    public static BFloat16 Exp(BFloat16 x) => (BFloat16)double.Exp((double)x);

    /// <inheritdoc/>
    public static BFloat16 Exp10(BFloat16 x) => (BFloat16)double.Exp10((double)x);

    /// <inheritdoc/>
    public static BFloat16 Exp10M1(BFloat16 x) => NearOne((double)x, Ln10, double.Exp10M1);

    /// <inheritdoc/>
    public static BFloat16 Exp2(BFloat16 x) => (BFloat16)double.Exp2((double)x);

    /// <inheritdoc/>
    public static BFloat16 Exp2M1(BFloat16 x) => NearOne((double)x, Ln2, double.Exp2M1);

    /// <inheritdoc/>
    public static BFloat16 ExpM1(BFloat16 x) => NearOne((double)x, 1, double.ExpM1);

    /// <inheritdoc/>
    public static BFloat16 Hypot(BFloat16 x, BFloat16 y) => (BFloat16)double.Hypot((double)x, (double)y);

    /// <inheritdoc/>
    public static BFloat16 Log(BFloat16 x) => (BFloat16)double.Log((double)x);

    /// <inheritdoc/>
    public static BFloat16 Log(BFloat16 x, BFloat16 newBase) => (BFloat16)double.Log((double)x, (double)newBase);

    /// <inheritdoc/>
    public static BFloat16 Log10(BFloat16 x) => (BFloat16)double.Log10((double)x);

    /// <inheritdoc/>
    public static BFloat16 Log10P1(BFloat16 x) => NearOne((double)x, 1 / Ln10, double.Log10P1);

    /// <inheritdoc/>
    public static BFloat16 Log2(BFloat16 x) => (BFloat16)double.Log2((double)x);

    /// <inheritdoc/>
    public static BFloat16 Log2P1(BFloat16 x) => NearOne((double)x, 1 / Ln2, double.Log2P1);

    /// <inheritdoc/>
    public static BFloat16 LogP1(BFloat16 x) => NearOne((double)x, 1, double.LogP1);

    /// <inheritdoc/>
    public static BFloat16 Pow(BFloat16 x, BFloat16 y) => (BFloat16)double.Pow((double)x, (double)y);

    /// <inheritdoc/>
    public static BFloat16 RadiansToDegrees(BFloat16 radians) => (BFloat16)double.RadiansToDegrees((double)radians);

    /// <inheritdoc/>
    public static BFloat16 RootN(BFloat16 x, int n) => (BFloat16)double.RootN((double)x, n);

    /// <inheritdoc/>
    public static BFloat16 Sin(BFloat16 x) => (BFloat16)double.Sin((double)x);

    /// <inheritdoc/>
    public static (BFloat16 Sin, BFloat16 Cos) SinCos(BFloat16 x) => (Sin(x), Cos(x));

    /// <inheritdoc/>
    public static (BFloat16 SinPi, BFloat16 CosPi) SinCosPi(BFloat16 x) => (SinPi(x), CosPi(x));

    /// <inheritdoc/>
    public static BFloat16 SinPi(BFloat16 x) => (BFloat16)double.SinPi((double)x);

    /// <inheritdoc/>
    public static BFloat16 Sinh(BFloat16 x) => (BFloat16)double.Sinh((double)x);

    /// <inheritdoc/>
    public static BFloat16 Tan(BFloat16 x) => (BFloat16)double.Tan((double)x);

    /// <inheritdoc/>
    public static BFloat16 TanPi(BFloat16 x) => (BFloat16)double.TanPi((double)x);

    /// <inheritdoc/>
    public static BFloat16 Tanh(BFloat16 x) => (BFloat16)double.Tanh((double)x);

    /// <summary>exp(x) - 1, log(1 + x) and their like. The framework computes them so, and loses an x that vanishes beside 1.</summary>
    private static BFloat16 NearOne(double x, double slopeAtZero, Func<double, double> function) =>
        (BFloat16)(Math.Abs(x) < Tiny ? x * slopeAtZero : function(x));
}
