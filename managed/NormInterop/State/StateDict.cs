using System.Collections;
using System.Diagnostics.CodeAnalysis;
using NormInterop.State;

namespace NormInterop;

/// <summary>
/// Named tensors, in order: what PyTorch calls a state dict. Read from and written to safetensors files, which PyTorch reads and
/// writes with the functions <c>load_file</c> and <c>save_file</c> of the package <c>safetensors.torch</c>.
/// </summary>
/// <remarks>
/// <para>A model of several modules is saved in one file under the prefixes that tell them apart, and loaded again:</para>
/// <code>
/// using StateDict state = new();
/// state.Merge(norm1.StateDict("norm1."));
/// state.Merge(norm2.StateDict("norm2."));
/// state.Save("model.safetensors");
///
/// using StateDict saved = StateDict.Load("model.safetensors");
/// norm1.LoadStateDict(saved, "norm1.");
/// norm2.LoadStateDict(saved, "norm2.");
/// </code>
/// <para>Any number of threads may read a dict together; a thread that changes it must be alone.</para>
/// </remarks>
[SuppressMessage("Naming", "CA1710", Justification = "A state dict is what every user of the field calls it.")]
public sealed class StateDict : IReadOnlyDictionary<string, StateTensor>, IDisposable
{
    private readonly OrderedDictionary<string, StateTensor> _tensors = new(StringComparer.Ordinal);
    private readonly MappedFile? _file;

    /// <summary>Makes an empty dict.</summary>
    public StateDict()
    {
    }

    internal StateDict(MappedFile? file) => _file = file;

    /// <summary>Texts about the tensors that a file carries under "__metadata__". Some programs ask for "format" there: "pt".</summary>
    public IDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Number of tensors.</summary>
    public int Count => _tensors.Count;

    /// <summary>The names of the tensors, in order.</summary>
    public IEnumerable<string> Keys => _tensors.Keys;

    /// <summary>The tensors, in order.</summary>
    public IEnumerable<StateTensor> Values => _tensors.Values;

    /// <summary>The tensor of a name. A new name is appended; the tensor of a known one is replaced.</summary>
    /// <param name="key">The name.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="ArgumentException">A name to be set is one that no file can hold: "__metadata__", or not valid Unicode.</exception>
    public StateTensor this[string key]
    {
        get => _tensors[key];
        set
        {
            SafetensorsText.CheckKey(key, nameof(key));
            ArgumentNullException.ThrowIfNull(value);
            _tensors[key] = value;
        }
    }

    /// <summary>Reads a safetensors file into memory.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is not a safetensors file; the message names the field that is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="NotSupportedException">A tensor takes more bytes than an array can hold; <see cref="Open"/> reads it.</exception>
    public static StateDict Load(string path) => SafetensorsReader.Load(path);

    /// <summary>
    /// Maps a safetensors file into memory: its tensors are read when they are asked for, until this dict is disposed.
    /// </summary>
    /// <param name="path">The file. Nobody may shorten or overwrite it in place meanwhile; that another file takes its name, as
    /// <see cref="Save"/> does it, is harmless, or refused to the other (by Windows).</param>
    /// <exception cref="InvalidDataException">The file is not a safetensors file; the message names the field that is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <remarks>
    /// Where the operating system lets another program shorten a mapped file (Linux does), reading a tensor of it afterwards throws an
    /// <see cref="EndOfStreamException"/>; but if it happens during the copy, the system ends the process. Where a file is not in safe
    /// hands, use <see cref="Load"/>, for which it is an exception like any other.
    /// </remarks>
    public static StateDict Open(string path) => SafetensorsReader.Open(path);

    /// <summary>
    /// Writes a safetensors file: as a new one beside the path, which takes its name when it is complete and on the disk. Whatever
    /// happens, the path holds either what it held before or all of this dict.
    /// </summary>
    /// <param name="path">The file. One that is there already is replaced.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="InvalidOperationException">The names take more than the 100 million bytes that a file may spend on them, or
    /// metadata is null or not valid Unicode.</exception>
    /// <exception cref="ObjectDisposedException">Tensors come from an opened dict that has been disposed.</exception>
    /// <remarks>
    /// The same tensors and metadata make the same bytes, those of the format's reference implementation: tensors with the widest types
    /// first, then by name. Metadata is sorted by key.
    /// </remarks>
    public void Save(string path) => SafetensorsWriter.Save(this, path);

    /// <summary>Appends a tensor.</summary>
    /// <param name="key">Its name, not yet in the dict.</param>
    /// <param name="tensor">The tensor.</param>
    /// <exception cref="ArgumentException">The name is taken, or no file can hold it: "__metadata__", or not valid Unicode.</exception>
    public void Add(string key, StateTensor tensor)
    {
        SafetensorsText.CheckKey(key, nameof(key));
        ArgumentNullException.ThrowIfNull(tensor);
        if (!_tensors.TryAdd(key, tensor))
            throw new ArgumentException($"There is a tensor \"{SafetensorsText.Shown(key)}\" already.", nameof(key));
    }

    /// <summary>Appends all tensors of another dict, without copying their elements. Metadata is not taken over.</summary>
    /// <param name="other">The other dict. If it was opened from a file, it must not be disposed before this one has been used.</param>
    /// <returns>This dict.</returns>
    /// <exception cref="ArgumentException">A name is in both dicts; this one is unchanged.</exception>
    public StateDict Merge(StateDict other)
    {
        ArgumentNullException.ThrowIfNull(other);
        string[] taken = [.. other.Keys.Where(ContainsKey).Select(SafetensorsText.Shown)];
        if (taken.Length > 0)
            throw new ArgumentException($"Both dicts have a tensor \"{string.Join("\", \"", taken)}\".", nameof(other));
        foreach ((string key, StateTensor tensor) in other)
            _tensors.Add(key, tensor);
        return this;
    }

    /// <summary>Removes a tensor and says whether it was there.</summary>
    /// <param name="key">Its name.</param>
    public bool Remove(string key) => _tensors.Remove(key);

    /// <summary>Whether there is a tensor of this name.</summary>
    /// <param name="key">The name.</param>
    public bool ContainsKey(string key) => _tensors.ContainsKey(key);

    /// <summary>Finds a tensor by its name.</summary>
    /// <param name="key">The name.</param>
    /// <param name="value">The tensor; null where there is none.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StateTensor value) => _tensors.TryGetValue(key, out value);

    /// <summary>The names and tensors, in order.</summary>
    public IEnumerator<KeyValuePair<string, StateTensor>> GetEnumerator() => _tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Closes the file of a dict that was opened. Its tensors keep type and shape, but their elements are gone.</summary>
    public void Dispose() => _file?.Dispose();
}
