using BenchmarkDotNet.Attributes;

namespace NormInterop.Benchmarks;

/// <summary>The four normalized shapes of ResNet-50 at batch 32, N,C,H,W: too large for any cache.</summary>
public class BatchNormLarge : LargeBenchmarks
{
    /// <inheritdoc/>
    [Params("32,64,112,112", "32,256,56,56", "32,512,28,28", "32,2048,7,7")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [ParamsAllValues]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new BatchNormCase(lengths, Pass, calls);
}

/// <summary>Small inputs N,C,H,W.</summary>
public class BatchNormSmall : SmallBenchmarks
{
    /// <inheritdoc/>
    [Params("1,64,56,56", "8,16,32,32", "8,64,4,4")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [ParamsAllValues]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new BatchNormCase(lengths, Pass, calls);
}

/// <summary>32 groups over N,C,H,W: a block of a diffusion model, and one of ResNet-50.</summary>
public class GroupNorm : LargeBenchmarks
{
    /// <inheritdoc/>
    [Params("2,320,96,96", "32,64,112,112")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new GroupNormCase(lengths, Pass, calls);
}

/// <summary>N,C,H,W, as in style transfer.</summary>
public class InstanceNorm : LargeBenchmarks
{
    /// <inheritdoc/>
    [Params("8,64,128,128")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new InstanceNormCase(lengths, Pass, calls);
}

/// <summary>Tokens of transformers, rows,length.</summary>
public class LayerNormLarge : LargeBenchmarks
{
    /// <inheritdoc/>
    [Params("4096,768", "8192,4096")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new LayerNormCase(lengths, Pass, calls);
}

/// <summary>A sentence of tokens.</summary>
public class LayerNormSmall : SmallBenchmarks
{
    /// <inheritdoc/>
    [Params("128,768")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new LayerNormCase(lengths, Pass, calls);
}

/// <summary>One token.</summary>
public class LayerNormTiny : TinyBenchmarks
{
    /// <inheritdoc/>
    [Params("1,768")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new LayerNormCase(lengths, Pass, calls);
}

/// <summary>Tokens of transformers, rows,length.</summary>
public class RmsNormLarge : LargeBenchmarks
{
    /// <inheritdoc/>
    [Params("8192,4096")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new RmsNormCase(lengths, Pass, calls);
}

/// <summary>A sentence of tokens.</summary>
public class RmsNormSmall : SmallBenchmarks
{
    /// <inheritdoc/>
    [Params("128,768")]
    public override string Shape { get; set; } = "";

    /// <inheritdoc/>
    [Params(Pass.Forward, Pass.Backward)]
    public override Pass Pass { get; set; }

    private protected override NormCase Create(int[] lengths, int calls) => new RmsNormCase(lengths, Pass, calls);
}
