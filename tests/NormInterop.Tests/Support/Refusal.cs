using System.Numerics.Tensors;

namespace NormInterop.Tests.Support;

/// <summary>A module in the middle of its work, to be given a call that must be refused, and a twin that is spared it.</summary>
/// <remarks>
/// Both have run one training step (so that gradients and buffers are not at their defaults) and a forward that awaits its backward.
/// After the refused call the two must still be equal, and so must the gradients of the pending backward.
/// </remarks>
internal sealed class Refusal
{
    private readonly NormModule<float> _twin;
    private readonly NormContext<float> _twinContext = new();
    private readonly Tensor<float> _gradOutput;

    internal Refusal(params int[] shape)
        : this(() => Layers.Varied(shape), shape)
    {
    }

    internal Refusal(ModuleCase c, bool training = true)
        : this(() => Make(c).Train(training), c.Shape)
    {
    }

    internal Refusal(Func<NormModule<float>> make, int[] shape)
    {
        Input = Tensors.Random(1, shape);
        _gradOutput = Tensors.Random(2, shape);
        Norm = make();
        _twin = make();
        Prepare(Norm, Context);
        Prepare(_twin, _twinContext);
    }

    /// <summary>The module that gets the call.</summary>
    internal NormModule<float> Norm { get; }

    /// <summary>The context of its pending forward.</summary>
    internal NormContext<float> Context { get; } = new();

    /// <summary>The input of its pending forward.</summary>
    internal Tensor<float> Input { get; }

    /// <summary>A module of a case that is at none of its defaults.</summary>
    internal static NormModule<float> Make(ModuleCase c)
    {
        NormModule<float> module = ModuleTypes.Make<float>(c.Layer, c.Settings);
        ModuleTypes.Vary(module);
        return module;
    }

    /// <summary>The call throws exactly this exception and leaves no trace, also not in the tensors that are watched.</summary>
    internal TException Of<TException>(Action call, params Tensor<float>[] watched)
        where TException : Exception
    {
        ModuleState before = new(Norm);
        float[][] contents = Array.ConvertAll(watched, Tensors.Flat);

        TException exception = Assert.ThrowsExactly<TException>(call);

        before.AssertEqual(new ModuleState(Norm), "after the refused call");
        for (int i = 0; i < watched.Length; i++)
            Expect.SameBits(contents[i], Tensors.Flat(watched[i]), $"tensor {i} after the refused call");
        AssertStillWorks();
        return exception;
    }

    /// <summary>As <see cref="Of{TException}"/>; the message has this text.</summary>
    internal void Says<TException>(string text, Action call, params Tensor<float>[] watched)
        where TException : Exception =>
        Assert.Contains(text, Of<TException>(call, watched).Message);

    // Two backward passes: one through the caller's context, one through the module's own.
    private void AssertStillWorks()
    {
        Assert.IsTrue(Context.IsPending, "the pending forward is forgotten");
        float[] expected = Tensors.Flat(_twin.Backward(_gradOutput, _twinContext)), expectedOwn = Tensors.Flat(_twin.Backward(_gradOutput));
        Expect.SameBits(expected, Tensors.Flat(Norm.Backward(_gradOutput, Context)), "pending backward");
        Expect.SameBits(expectedOwn, Tensors.Flat(Norm.Backward(_gradOutput)), "pending backward of the module's own context");
        new ModuleState(_twin).AssertEqual(new ModuleState(Norm), "after the pending backward");
    }

    private void Prepare(NormModule<float> norm, NormContext<float> context)
    {
        bool training = norm.IsTraining;
        norm.Train();
        norm.Forward(Input);
        norm.Backward(_gradOutput);
        norm.Forward(Input);
        norm.Forward(Input, context);
        norm.Train(training);
    }
}
