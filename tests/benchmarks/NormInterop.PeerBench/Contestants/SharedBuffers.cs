using System.Numerics;
using System.Runtime.InteropServices;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Contestants;

/// <summary>The one set of buffers that all contestants of a case read and write.</summary>
/// <remarks>
/// Where tensors lie must not be left to chance. A load that has the last 12 bits of its address in common with a store shortly before
/// it waits for that store; tensors of a power of two, one after another, are in that position for their whole length, which can make a
/// pass several times as slow. Here each begins a third of a page further into its page than the one before, and at a cache line.
/// </remarks>
internal sealed unsafe class SharedBuffers : IDisposable
{
    private const int Page = 4096;
    private const int Line = 64;
    private const int Shift = Page / 3 / Line * Line;
    private const int Tensors = 4;
    private const int ParameterTensors = 6;

    private readonly nuint _tensorStride;
    private readonly nuint _parameterStride;
    private readonly byte* _memory;
    private (DataType Type, long Elements, int Parameters) _filled;

    /// <summary>Takes memory for the largest of some cases, and touches all of it.</summary>
    public SharedBuffers(IReadOnlyCollection<Case> cases)
    {
        _tensorStride = Stride(cases.Max(entry => entry.Shape.Elements * entry.DataType.Size()));
        _parameterStride = Stride(cases.Max(entry => entry.Parameters * (long)sizeof(double)));
        nuint size = (Tensors * _tensorStride) + (ParameterTensors * _parameterStride);
        _memory = (byte*)NativeMemory.AlignedAlloc(size, Page);
        for (nuint i = 0; i < size; i += Page)
            _memory[i] = 0;
    }

    public byte* X => _memory;

    public byte* OutputGradient => _memory + _tensorStride;

    /// <summary>y or dx.</summary>
    public byte* Out => _memory + (2 * _tensorStride);

    /// <summary>A copy of results, to compare others with.</summary>
    public byte* Expected => _memory + (3 * _tensorStride);

    public byte* Weight => Parameter(0);

    public byte* Bias => Parameter(1);

    public byte* RunningMean => Parameter(2);

    public byte* RunningVar => Parameter(3);

    public byte* WeightGradient => Parameter(4);

    public byte* BiasGradient => Parameter(5);

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    /// <summary>Writes the inputs and parameters of a case, if they are not there already.</summary>
    public void Fill(Case entry)
    {
        (DataType, long, int) wanted = (entry.DataType, entry.Shape.Elements, entry.Parameters);
        if (_filled == wanted)
            return;
        switch (entry.DataType)
        {
            case DataType.Float:
                Fill<float, float>(entry);
                break;
            case DataType.Double:
                Fill<double, double>(entry);
                break;
            case DataType.Half:
                Fill<Half, float>(entry);
                break;
            default:
                Fill<BFloat16, float>(entry);
                break;
        }

        _filled = wanted;
    }

    /// <summary>Puts everything that a pass writes, but for the output, in the state before the first call.</summary>
    public void ResetResults(Case entry)
    {
        if (entry.DataType == DataType.Double)
            ResetResults<double>(entry);
        else
            ResetResults<float>(entry);
    }

    // Every number of the parameters has few bits, so that data types of 16 bits, in which some peers want them, have it as well.
    private void ResetResults<T>(Case entry)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> mean = Span<T>(RunningMean, entry.Parameters), var = Span<T>(RunningVar, entry.Parameters);
        for (int i = 0; i < entry.Parameters; i++)
        {
            mean[i] = T.CreateTruncating((i % 7 - 3) / 8.0);
            var[i] = T.CreateTruncating(0.5 + (i % 5 / 4.0));
        }

        Span<T>(WeightGradient, entry.Parameters).Clear();
        Span<T>(BiasGradient, entry.Parameters).Clear();
    }

    private void Fill<TData, T>(Case entry)
        where TData : unmanaged, IBinaryFloatingPointIeee754<TData>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        FillUniform(Span<TData>(X, entry.Elements), 0.25f, 1);
        FillUniform(Span<TData>(OutputGradient, entry.Elements), 0, 2);
        Span<T> weight = Span<T>(Weight, entry.Parameters), bias = Span<T>(Bias, entry.Parameters);
        for (int i = 0; i < entry.Parameters; i++)
        {
            weight[i] = T.CreateTruncating(0.5 + (i % 16 / 16.0));
            bias[i] = T.CreateTruncating((i % 11 - 5) / 8.0);
        }
    }

    // Variance 1. The generator is xorshift64* (Vigna 2016), of which the upper 24 bits make a float.
    private static void FillUniform<TData>(Span<TData> values, float mean, ulong seed)
        where TData : unmanaged, IBinaryFloatingPointIeee754<TData>
    {
        const float Width = 3.4641016f;
        ulong state = seed * 0x9E3779B97F4A7C15;
        foreach (ref TData value in values)
        {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            float unit = ((state * 0x2545F4914F6CDD1D) >> 40) * (1f / (1 << 24));
            value = TData.CreateTruncating(mean + (Width * (unit - 0.5f)));
        }
    }

    public static Span<T> Span<T>(byte* start, int count)
        where T : unmanaged => new(start, count);

    // A multiple of the page, and the shift to the next tensor's place in it. What is left of the last vector is room as well.
    private static nuint Stride(long bytes) => (nuint)(((bytes + Page - 1) / Page * Page) + Page + Shift);

    private byte* Parameter(int index) => _memory + (Tensors * _tensorStride) + ((nuint)index * _parameterStride);
}
