namespace NormInterop.Tests.Support;

/// <summary>What the constructors of the layers take. Each layer reads its own part; the defaults are those of most of them.</summary>
internal sealed record ModuleSettings
{
    /// <summary>C of the layers that have channels.</summary>
    internal int Channels { get; init; }

    internal int Groups { get; init; } = 1;

    /// <summary>Lengths of the parameters: the normalized shape of LayerNorm and RMSNorm, or what CaffeScale scales.</summary>
    internal int[] Shape { get; init; } = [];

    /// <summary>Null only for RMSNorm, and for momentum only for BatchNorm.</summary>
    internal double? Eps { get; init; } = 1e-5;

    internal double? Momentum { get; init; } = 0.1;

    internal bool Affine { get; init; } = true;

    internal bool Bias { get; init; } = true;

    internal bool Tracking { get; init; } = true;

    internal double Fraction { get; init; } = 0.999;

    internal bool? UseGlobalStats { get; init; }

    internal int Axis { get; init; } = 1;

    internal int NumAxes { get; init; } = 1;

    /// <summary>Of the layers that may have one.</summary>
    internal Activation Activation { get; init; }
}
