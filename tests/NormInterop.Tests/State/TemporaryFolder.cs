namespace NormInterop.Tests.State;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Root { get; } = Directory.CreateTempSubdirectory("norminterop-state-").FullName;

    internal string[] Files => [.. Directory.GetFileSystemEntries(Root).Select(entry => Path.GetFileName(entry)).Order()];

    internal string this[string name] => Path.Combine(Root, name);

    /// <summary>Writes a file and returns its path.</summary>
    internal string Write(string name, byte[] content)
    {
        File.WriteAllBytes(this[name], content);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
