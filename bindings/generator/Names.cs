using CppSharp.AST;

namespace NormInterop.Bindings.Generator;

/// <summary>Turns the names of the C headers into C# names: without their prefix, and in C#'s case.</summary>
internal static class Names
{
    // The longer one first: it begins with the other.
    private static readonly string[] s_prefixes = ["ni_mpi_", "ni_"];

    /// <summary>Name of a type or function: <c>ni_channel_shape</c> becomes <c>ChannelShape</c>.</summary>
    /// <param name="declaration">An enum, struct or function.</param>
    /// <returns>The C# name.</returns>
    /// <exception cref="NotSupportedException">The name lacks the prefix that every public name has.</exception>
    internal static string Of(Declaration declaration) => Pascal(WithoutPrefix(
        declaration.OriginalName,
        Array.Find(s_prefixes, p => declaration.OriginalName.StartsWith(p, StringComparison.Ordinal)) ?? s_prefixes[^1]));

    /// <summary>Name of an enum value: <c>NI_DATA_TYPE_FLOAT32</c> of <c>ni_data_type</c> becomes <c>Float32</c>.</summary>
    /// <param name="owner">The enum.</param>
    /// <param name="item">Its value.</param>
    /// <returns>The C# name.</returns>
    /// <exception cref="NotSupportedException">The name does not begin with the name of its enum.</exception>
    internal static string Of(Enumeration owner, Enumeration.Item item) =>
        Pascal(WithoutPrefix(item.OriginalName.ToLowerInvariant(), owner.OriginalName + "_"));

    /// <summary>Upper camel case: <c>struct_size</c> becomes <c>StructSize</c>.</summary>
    /// <param name="name">A name with underscores.</param>
    /// <returns>The name in upper camel case.</returns>
    internal static string Pascal(string name) =>
        string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(w => char.ToUpperInvariant(w[0]) + w[1..]));

    /// <summary>Lower camel case: <c>saved_mean</c> becomes <c>savedMean</c>.</summary>
    /// <param name="name">A name with underscores.</param>
    /// <returns>The name in lower camel case.</returns>
    internal static string Camel(string name)
    {
        string pascal = Pascal(name);
        return char.ToLowerInvariant(pascal[0]) + pascal[1..];
    }

    private static string WithoutPrefix(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length
            ? name[prefix.Length..]
            : throw new NotSupportedException($"the name '{name}' should begin with '{prefix}'");
}
