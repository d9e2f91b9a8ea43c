using NormInterop.State;

namespace NormInterop;

/// <content>State dicts.</content>
public abstract partial class NormModule<T>
{
    /// <summary>A copy of the parameters and running buffers under PyTorch's names, in its order: weight, bias, running_mean, ...</summary>
    /// <param name="prefix">What precedes each name. PyTorch puts the module's name and a dot: "bn1.".</param>
    /// <returns>A new dict; later changes of the module do not show in it, nor the reverse.</returns>
    public StateDict StateDict(string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return StateTransfer.Save(StateSlots(), prefix);
    }

    /// <summary>Copies parameters and running buffers from a state dict: all of them, or, if it throws, none.</summary>
    /// <param name="state">The dict. Names that do not begin with the prefix belong to other modules and are ignored.</param>
    /// <param name="prefix">What precedes this module's names in the dict. PyTorch puts the module's name and a dot: "bn1.".</param>
    /// <param name="strict">Whether names that only the dict or only the module has are an error. If not, they are returned.</param>
    /// <returns>The names that only the module has, and that only the dict has, under the prefix.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape or is not of a fitting type; or, if strict, names are missing or
    /// unexpected. The message lists everything that is wrong.</exception>
    /// <exception cref="InvalidOperationException">A tensor of an opened file is larger than an array can be.</exception>
    /// <exception cref="ObjectDisposedException">Tensors come from an opened dict that has been disposed.</exception>
    /// <remarks>
    /// As in PyTorch, elements of type F16, BF16, F32 and F64 are converted to the module's type, rounded to nearest; and
    /// num_batches_tracked may be absent, as it is from old files: the module then keeps its count. Gradients and mode do not change.
    /// </remarks>
    public StateLoadResult LoadStateDict(StateDict state, string prefix = "", bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(prefix);
        return StateTransfer.Load(ToString() ?? GetType().Name, [.. StateSlots()], state, prefix, strict);
    }
}
