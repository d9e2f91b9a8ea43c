using CppSharp.AST;
using CppSharp.AST.Extensions;

namespace NormInterop.Bindings.Generator;

/// <summary>
/// Writes C types in C#. Only what the C ABI allows is known here: a type whose width depends on the platform
/// (<c>long</c>, <c>size_t</c>, <c>bool</c>) is refused rather than bound to the width it has on this machine.
/// </summary>
internal static class NativeTypes
{
    /// <summary>The C# type that has the same bits.</summary>
    /// <param name="type">Type of a parameter, a field or a result.</param>
    /// <param name="user">Where it is used, for the error message.</param>
    /// <returns>A C# type name.</returns>
    /// <exception cref="NotSupportedException">The C ABI does not allow the type.</exception>
    internal static string Print(CppSharp.AST.Type type, string user)
    {
        // The fixed-width names come first: what is below them, long or long long, differs between platforms.
        if (type is TypedefType typedef && FixedWidth(typedef.Declaration.OriginalName) is { } name)
            return name;

        return type switch
        {
            TypedefType { Declaration: var declaration } => Print(declaration.Type, user),
            PointerType pointer when pointer.Pointee.Desugar() is not FunctionType => Print(pointer.Pointee, user) + "*",
            TagType { Declaration: Enumeration or Class } tag => Names.Of(tag.Declaration),
            BuiltinType { Type: PrimitiveType.Void } => "void",
            BuiltinType { Type: PrimitiveType.Char or PrimitiveType.UChar } => "byte",
            BuiltinType { Type: PrimitiveType.Float } => "float",
            BuiltinType { Type: PrimitiveType.Double } => "double",
            _ => throw new NotSupportedException($"{user} has the type '{type}', which is not allowed in the C interface"),
        };
    }

    private static string? FixedWidth(string typedef) => typedef switch
    {
        "int8_t" => "sbyte",
        "uint8_t" => "byte",
        "int16_t" => "short",
        "uint16_t" => "ushort",
        "int32_t" => "int",
        "uint32_t" => "uint",
        "int64_t" => "long",
        "uint64_t" => "ulong",
        _ => null,
    };
}
