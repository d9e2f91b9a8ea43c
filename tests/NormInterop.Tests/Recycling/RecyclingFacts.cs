using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using NormInterop.Tests.Runtime;

namespace NormInterop.Tests.Recycling;

/// <summary>What a small program of its own finds, whose heap holds nothing but what is measured.</summary>
[TestClass]
public sealed class RecyclingFacts
{
    private const int Steps = 300;

    /// <summary>A training loop: after the first steps, hardly any memory is fresh.</summary>
    [TestMethod]
    [DataRow("0", DisplayName = "collector on the calling thread")]
    [DataRow("1", DisplayName = "collector in the background")]
    public void ATrainingLoop_NeedsLittleFreshMemory(string concurrent)
    {
        (int exitCode, string[] lines) = Child.Run(Child.TrainingCommand, ("DOTNET_gcConcurrent", concurrent));
        Assert.AreEqual(0, exitCode, string.Join('\n', lines));
        double fresh = double.Parse(lines[0], CultureInfo.InvariantCulture);
        Assert.IsLessThan(Steps / 2.0, fresh, $"of {2 * Steps} outputs");
    }

    /// <summary>What is kept for later makes no call fail: 192 MB hold an input and an output of 60 MB.</summary>
    [TestMethod]
    public void ScarceMemory_IsNotWithheld()
    {
        (int exitCode, string[] lines) = Child.Run(Child.ScarcityCommand, ("DOTNET_GCHeapHardLimit", "0xC000000"));
        Assert.AreEqual(0, exitCode, string.Join('\n', lines));
        Assert.AreEqual("1.0", lines[^1]);
    }

    /// <summary>The number of outputs in fresh memory, of two in every step.</summary>
    internal static string Training()
    {
        BatchNorm1d<float> norm = new(100);
        Tensor<float> x = Tensor.CreateFromShape<float>([100, 100, 100]);
        for (int i = 0; i < 10; i++)
            Step(norm, x);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < Steps; i++)
            Step(norm, x);
        double fresh = (GC.GetTotalAllocatedBytes(precise: true) - before) / (4.0 * x.FlattenedLength);
        return fresh.ToString("F1", CultureInfo.InvariantCulture);
    }

    /// <summary>The last element of a large output, made while memory of smaller ones is kept that does not fit beside it.</summary>
    internal static string Scarcity()
    {
        NormRuntime.RecyclingLimit = 100_000_000;
        Tensor<float> large = Tensor.CreateFromShape<float>([15_000_000]);
        large.Fill(1f);
        KeepSmaller();
        Collector.Run();
        return Outputs.Like(large)[14_999_999].ToString("F1", CultureInfo.InvariantCulture);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Step(BatchNorm1d<float> norm, Tensor<float> x)
    {
        norm.Forward(x);
        norm.Backward(x);
    }

    /// <summary>Outputs of eight sizes from 2 to 23 MB, which nobody keeps.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void KeepSmaller()
    {
        for (int i = 0; i < 8; i++)
            Outputs.Like(Tensor.CreateFromShape<float>([(nint)(500_000 * Math.Pow(2, i / 2.0))]));
    }
}
