using System.Runtime.InteropServices;
using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>Turns what the native library reports into exceptions.</summary>
internal static unsafe class NativeCall
{
    internal static void Check(Status status)
    {
        if (status != Status.Ok)
            Throw(status);
    }

    internal static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    /// <summary>Arguments that only the native side can judge (buffers that overlap, say) are the caller's all the same.</summary>
    private static void Throw(Status status)
    {
        string message = Text(NativeMethods.LastErrorMessage());
        throw status switch
        {
            Status.NullPointer or Status.InvalidArgument or Status.SizeOverflow or Status.AliasedBuffers => new ArgumentException(message),
            _ => new NormInteropException(message, (int)status),
        };
    }
}
