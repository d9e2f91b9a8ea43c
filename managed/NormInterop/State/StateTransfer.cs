using System.Numerics;
using System.Text;
using NormInterop.Functional;

namespace NormInterop.State;

/// <summary>Between the slots of a module and a state dict.</summary>
internal static class StateTransfer
{
    /// <summary>A copy of a module's state under a prefix.</summary>
    internal static StateDict Save<T>(IEnumerable<StateSlot<T>> slots, string prefix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        StateDict state = new();
        foreach (StateSlot<T> slot in slots)
            state.Add(prefix + slot.Name, slot.Tensor is null ? StateTensor.FromScalar(slot.Read!()) : StateTensor.FromTensor(slot.Tensor));
        return state;
    }

    /// <summary>Writes what a dict has under a prefix into the slots, or, where anything is wrong, nothing.</summary>
    /// <exception cref="ArgumentException">The dict does not fit; the message has a line for every reason.</exception>
    internal static StateLoadResult Load<T>(string module, StateSlot<T>[] slots, StateDict state, string prefix, bool strict)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        List<string> missing = [], wrong = [];
        List<Action> writes = [];
        HashSet<string> known = [];
        foreach (StateSlot<T> slot in slots)
        {
            string key = prefix + slot.Name;
            known.Add(key);
            if (!state.TryGetValue(key, out StateTensor? tensor))
            {
                // Files from before PyTorch 0.4.1 have no counters.
                if (slot.Tensor is not null)
                    missing.Add(key);
            }
            else if (WhyNot(slot, tensor) is { } reason)
            {
                wrong.Add($"\"{SafetensorsText.Shown(key)}\" {reason}");
            }
            else
            {
                writes.Add(Prepare(slot, tensor, key, wrong));
            }
        }

        string[] unexpected = [.. state.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && !known.Contains(key))];
        if (wrong.Count > 0 || (strict && missing.Count + unexpected.Length > 0))
        {
            string message = Refusal(module, prefix, strict ? missing : [], strict ? unexpected : [], wrong);
            throw new ArgumentException(message, nameof(state));
        }

        foreach (Action write in writes)
            write();
        return new StateLoadResult(missing, unexpected);
    }

    private static string? WhyNot<T>(StateSlot<T> slot, StateTensor tensor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (slot.Tensor is null)
            return tensor.DataType == StateDataType.I64 && tensor.Shape.IsEmpty ? null : $"is {tensor}, expected I64 []";
        if (!tensor.DataType.IsFloating())
            return $"is {tensor}, expected F16, BF16, F32 or F64 {TensorSpans.Size(slot.Tensor.Lengths)}";
        return tensor.Shape.SequenceEqual(slot.Tensor.Lengths)
            ? null
            : $"has shape {TensorSpans.Size(tensor.Shape)}, expected {TensorSpans.Size(slot.Tensor.Lengths)}";
    }

    /// <summary>Reads and converts, which may fail, and leaves only writing to be done, which may not.</summary>
    private static Action Prepare<T>(StateSlot<T> slot, StateTensor tensor, string key, List<string> wrong)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (slot.Tensor is null)
        {
            long count = tensor.ToScalar<long>();
            if (count < 0)
                wrong.Add($"\"{SafetensorsText.Shown(key)}\" is {count}, expected at least 0");
            return () => slot.Write!(count);
        }

        T[] values = tensor.ToArray<T>();
        return () => values.CopyTo(slot.Tensor.DenseSpan());
    }

    private static string Refusal(
        string module, string prefix, IEnumerable<string> missing, IEnumerable<string> unexpected, IEnumerable<string> wrong)
    {
        StringBuilder message = new($"The state does not fit {module}");
        if (prefix.Length > 0)
            message.Append($" under the prefix \"{SafetensorsText.Shown(prefix)}\"");
        message.Append("; nothing was loaded:");
        foreach (string key in missing)
            message.Append($"\n  missing \"{SafetensorsText.Shown(key)}\"");
        foreach (string key in unexpected)
            message.Append($"\n  unexpected \"{SafetensorsText.Shown(key)}\"");
        foreach (string reason in wrong)
            message.Append("\n  ").Append(reason);
        return message.ToString();
    }
}
