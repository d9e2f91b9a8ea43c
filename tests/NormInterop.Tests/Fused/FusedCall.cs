using NormInterop.Tests.Support;

namespace NormInterop.Tests.Fused;

/// <summary>How a forward and its backward are called: in which forms, through which overloads, into whose memory.</summary>
/// <remarks>Public properties are what a record shows of itself in messages.</remarks>
internal sealed record FusedCall
{
    public ulong Seed { get; init; } = 1;

    public bool Training { get; init; } = true;

    /// <summary>Overloads that take spans, or those that take tensors.</summary>
    public bool Spans { get; init; }

    /// <summary>Null is the module's own for tensors, and none, without a backward, for spans.</summary>
    public int? Context { get; init; }

    public Form Input { get; init; }

    public Form Residual { get; init; }

    public Form GradOutput { get; init; }

    /// <summary>Of the outputs of the overloads that take spans.</summary>
    public Form Output { get; init; }

    /// <summary>Of the input that the backward is given, of the overloads that take spans.</summary>
    public Form InputAgain { get; init; }

    public bool OutputOverResidual { get; init; }

    public bool OutputOverInput { get; init; }

    public bool GradInputOverGradOutput { get; init; }

    public bool GradInputOverInput { get; init; }

    public bool GradResidualOverGradOutput { get; init; }

    /// <summary>Whether a forward with a residual is followed by the backward that leaves its gradient out.</summary>
    public bool LeaveOutResidual { get; init; }

    internal static FusedCall OfOne(Form form) => new()
    {
        Input = form,
        Residual = form,
        GradOutput = form,
        Output = form,
        InputAgain = form,
    };
}
