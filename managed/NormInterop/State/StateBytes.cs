using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace NormInterop.State;

/// <summary>Bytes that can be copied out: never pointed to, so that no one can hold them longer than they exist.</summary>
internal abstract class StateBytes
{
    internal abstract long Length { get; }

    /// <summary>Copies bytes from an offset on; the caller has checked that they are there.</summary>
    internal abstract void Read(long offset, Span<byte> destination);
}

/// <summary>Bytes in memory of the process.</summary>
internal sealed class ArrayBytes(byte[] bytes) : StateBytes
{
    internal override long Length => bytes.Length;

    internal override void Read(long offset, Span<byte> destination) =>
        bytes.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);
}

/// <summary>Part of a mapped file.</summary>
internal sealed class MappedBytes(MappedFile file, long start, long length) : StateBytes
{
    internal override long Length => length;

    internal override void Read(long offset, Span<byte> destination) => file.Read(start + offset, destination);
}

/// <summary>A file mapped into memory for reading, until it is disposed.</summary>
internal sealed class MappedFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <summary>Maps a whole file, which must not be empty. The handle is closed with the mapping.</summary>
    internal MappedFile(SafeFileHandle handle)
    {
        _handle = handle;
        _file = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Copies bytes out.</summary>
    /// <exception cref="ObjectDisposedException">The file has been closed.</exception>
    /// <exception cref="EndOfStreamException">Somebody has shortened the file.</exception>
    internal void Read(long offset, Span<byte> destination)
    {
        SafeMemoryMappedViewHandle view = _view.SafeMemoryMappedViewHandle;
        ObjectDisposedException.ThrowIf(view.IsClosed, typeof(StateDict));

        // Dispose in another thread unmaps only when nobody uses the handle any more. ReadSpan counts itself among the users too late: it
        // first checks the range against the place and the size of the view, which are gone with it.
        bool isHeld = false;
        try
        {
            view.DangerousAddRef(ref isHeld);

            // Linux lets anybody shorten a mapped file, and kills who then reads what is gone. This leaves only the time of the copy for that.
            long length = RandomAccess.GetLength(_handle);
            if (offset + destination.Length > length)
                throw new EndOfStreamException($"The file has been shortened to {length} bytes since it was opened.");
            view.ReadSpan((ulong)offset, destination);
        }
        finally
        {
            if (isHeld)
                view.DangerousRelease();
        }
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
        _handle.Dispose();
    }
}
