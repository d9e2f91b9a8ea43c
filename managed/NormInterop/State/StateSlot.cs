using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.State;

/// <summary>One entry of a module's state: a tensor that it owns, or a counter that is an int64 scalar in a state dict.</summary>
/// <typeparam name="T">Type of the module's parameters and statistics.</typeparam>
internal readonly struct StateSlot<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private StateSlot(string name, Tensor<T>? tensor, Func<long>? read, Action<long>? write)
    {
        Name = name;
        Tensor = tensor;
        Read = read;
        Write = write;
    }

    /// <summary>The key without prefix: <c>weight</c>, <c>running_mean</c>, ...</summary>
    internal string Name { get; }

    /// <summary>The module's own tensor, dense; null for a counter.</summary>
    internal Tensor<T>? Tensor { get; }

    /// <summary>The counter's value; null for a tensor.</summary>
    internal Func<long>? Read { get; }

    /// <summary>Sets the counter; must not throw, because loading is all-or-nothing. Null for a tensor.</summary>
    internal Action<long>? Write { get; }

    /// <summary>A parameter or buffer. Loading writes into the tensor's memory.</summary>
    internal static StateSlot<T> Of(string name, Tensor<T> tensor) => new(name, tensor, null, null);

    /// <summary>A counter, which a state dict holds as an int64 tensor of shape [].</summary>
    internal static StateSlot<T> Counter(string name, Func<long> read, Action<long> write) => new(name, null, read, write);
}
