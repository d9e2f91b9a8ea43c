namespace NormInterop.Samples.Digits;

/// <summary>A network's state in a safetensors file.</summary>
/// <param name="Path">The file.</param>
/// <param name="IsTemporary">Whether it is deleted when this is disposed.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Tensors">The names of its tensors, in the order of the layers.</param>
internal sealed record Checkpoint(string Path, bool IsTemporary, long Length, IReadOnlyList<string> Tensors) : IDisposable
{
    /// <summary>Writes the state to a path, or, without one, to a temporary file.</summary>
    /// <exception cref="DemoException">The file cannot be written.</exception>
    public static Checkpoint Save(Network network, string? path)
    {
        string file = path ?? System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"digits-{Guid.NewGuid():N}.safetensors");
        try
        {
            using StateDict state = network.StateDict();
            state.Metadata["format"] = "pt";    // some Python programs load nothing without it
            state.Save(file);
            return new Checkpoint(file, path is null, new FileInfo(file).Length, [.. state.Keys]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemoException($"The trained state cannot be saved to {file}: {e.Message}");
        }
    }

    /// <summary>Reads the file into a network of the same layers.</summary>
    /// <exception cref="DemoException">The file cannot be read.</exception>
    public void LoadInto(Network network)
    {
        try
        {
            using StateDict state = StateDict.Load(Path);
            network.LoadStateDict(state);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new DemoException($"The trained state cannot be read from {Path}: {e.Message}");
        }
    }

    public void Dispose()
    {
        if (IsTemporary)
            File.Delete(Path);
    }
}
