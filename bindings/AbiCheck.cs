using System.Runtime.InteropServices;

namespace NormInterop.Bindings;

/// <summary>
/// Compares what these bindings were made from with what the library was compiled from. A library of another version may
/// have every entry point and still read a struct differently: found here it is an exception, found later a crash.
/// </summary>
internal static class AbiCheck
{
    /// <summary>The value of ni_abi_version() that these bindings are written for.</summary>
    internal const uint ExpectedAbiVersion = 4;

    /// <summary>What the library has to report.</summary>
    internal static unsafe AbiInfo Expected => new()
    {
        StructSize = Abi.AbiInfoSize,
        AbiVersion = ExpectedAbiVersion,
        ChannelShapeSize = Abi.ChannelShapeSize,
        GroupShapeSize = Abi.GroupShapeSize,
        RowShapeSize = Abi.RowShapeSize,
        StatusCount = Abi.StatusCount,
        DataTypeCount = Abi.DataTypeCount,
        LayoutCount = Abi.LayoutCount,
        GradientModeCount = Abi.GradientModeCount,
        ActivationCount = Abi.ActivationCount,
        PointerSize = (uint)sizeof(void*),
    };

    /// <summary>Compares two descriptions of the interface.</summary>
    /// <param name="expected">What the bindings were made from.</param>
    /// <param name="actual">What the library reports.</param>
    /// <returns>One line for each field that differs; none where the two agree.</returns>
    internal static IReadOnlyList<string> Differences(AbiInfo expected, AbiInfo actual)
    {
        var differences = new List<string>();
        Compare(nameof(AbiInfo.StructSize), expected.StructSize, actual.StructSize);
        Compare(nameof(AbiInfo.AbiVersion), expected.AbiVersion, actual.AbiVersion);
        Compare(nameof(AbiInfo.ChannelShapeSize), expected.ChannelShapeSize, actual.ChannelShapeSize);
        Compare(nameof(AbiInfo.GroupShapeSize), expected.GroupShapeSize, actual.GroupShapeSize);
        Compare(nameof(AbiInfo.RowShapeSize), expected.RowShapeSize, actual.RowShapeSize);
        Compare(nameof(AbiInfo.StatusCount), expected.StatusCount, actual.StatusCount);
        Compare(nameof(AbiInfo.DataTypeCount), expected.DataTypeCount, actual.DataTypeCount);
        Compare(nameof(AbiInfo.LayoutCount), expected.LayoutCount, actual.LayoutCount);
        Compare(nameof(AbiInfo.GradientModeCount), expected.GradientModeCount, actual.GradientModeCount);
        Compare(nameof(AbiInfo.ActivationCount), expected.ActivationCount, actual.ActivationCount);
        Compare(nameof(AbiInfo.PointerSize), expected.PointerSize, actual.PointerSize);
        return differences;

        void Compare(string field, uint wanted, uint found)
        {
            if (wanted != found)
                differences.Add($"{field}: the bindings expect {wanted}, the library has {found}");
        }
    }

    /// <summary>Asks the library and compares.</summary>
    /// <param name="libraryPath">Where the library is, for the message.</param>
    /// <exception cref="BadImageFormatException">The library is not the one these bindings were made for.</exception>
    internal static unsafe void Verify(string libraryPath)
    {
        try
        {
            // The version comes first, alone: ni_get_abi_info of another version may have another signature.
            uint version = NativeMethods.AbiVersion();
            if (version != ExpectedAbiVersion)
                throw Mismatch(libraryPath, version, []);

            var actual = new AbiInfo { StructSize = Abi.AbiInfoSize };
            if (NativeMethods.GetAbiInfo(&actual) != Status.Ok)
                throw Mismatch(libraryPath, version, [Marshal.PtrToStringUTF8((nint)NativeMethods.LastErrorMessage()) ?? ""]);

            if (Differences(Expected, actual) is { Count: > 0 } differences)
                throw Mismatch(libraryPath, version, differences);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new BadImageFormatException(
                $"{libraryPath} is not the native library of this version of NormInterop: {e.Message}", libraryPath, e);
        }
    }

    /// <summary>Puts into words what differs.</summary>
    /// <param name="libraryPath">Where the library is.</param>
    /// <param name="version">Its ABI version.</param>
    /// <param name="differences">What else differs.</param>
    /// <returns>The exception to throw.</returns>
    internal static BadImageFormatException Mismatch(string libraryPath, uint version, IReadOnlyList<string> differences) =>
        new(string.Join(
                Environment.NewLine + "  ",
                differences.Prepend(
                    $"{libraryPath} does not fit this version of NormInterop: the bindings expect ABI version {ExpectedAbiVersion}, "
                    + $"the library has {version}. Use the library that came with the package, or build both from the same sources.")),
            libraryPath);
}
