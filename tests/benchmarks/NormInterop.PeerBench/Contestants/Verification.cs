using System.Globalization;
using System.Numerics;
using NormInterop.PeerBench.Model;

namespace NormInterop.PeerBench.Contestants;

/// <summary>Compares what contestants compute, before anything is timed: who computes something else is not timed.</summary>
internal sealed unsafe class Verification
{
    private readonly Case _case;
    private readonly SharedBuffers _buffers;
    private readonly string _ownName;
    private readonly double[][] _expected;

    /// <summary>Runs our own pass once and keeps its results.</summary>
    public Verification(Case entry, SharedBuffers buffers, Contestant own)
    {
        (_case, _buffers, _ownName) = (entry, buffers, own.Name);
        RunOnce(own);
        Buffer.MemoryCopy(buffers.Out, buffers.Expected, OutputBytes, OutputBytes);
        _expected = Parameters();
    }

    private long OutputBytes => _case.Shape.Elements * _case.DataType.Size();

    /// <summary>Runs another contestant's pass once and compares its results with ours.</summary>
    /// <returns>The largest difference as a share of what is tolerated.</returns>
    /// <exception cref="PeerException">They differ by more than the data type explains.</exception>
    public double Compare(Contestant other)
    {
        // What it does not write must not look like what another left there.
        new Span<byte>(_buffers.Out, checked((int)Math.Min(OutputBytes, int.MaxValue))).Fill(0xFF);
        RunOnce(other);
        double worst = Check(other.Name, _case.Pass.IsBackward() ? "dx" : "y", OutputDifference(), OutputTolerance(_case.DataType));
        string[] names = _case.Pass.IsBackward() ? ["weight gradient", "bias gradient"] : ["running mean", "running var"];
        double[][] actual = Parameters();
        for (int i = 0; i < actual.Length; i++)
        {
            // A sum of n numbers around zero is of the size of sqrt(n).
            double scale = _case.Pass.IsBackward() ? Math.Sqrt(_case.Shape.Elements / _case.Parameters) : 1;
            double difference = ParameterDifference(actual[i], _expected[i]) / scale;
            worst = Math.Max(worst, Check(other.Name, names[i], difference, ParameterTolerance(_case.DataType)));
        }

        return worst;
    }

    private void RunOnce(Contestant contestant)
    {
        _buffers.ResetResults(_case);
        contestant.Reset();
        contestant.Prepare(1);
        contestant.Run(1);
        contestant.Collect();
    }

    private double Check(string name, string what, double difference, double tolerance)
    {
        if (difference <= tolerance)
            return difference / tolerance;
        throw new PeerException(string.Create(
            CultureInfo.InvariantCulture,
            $"{_case}: {what} of {name} differs from that of {_ownName} by {difference:0.0e+0}, more than {tolerance:0.0e+0}"));
    }

    // For float data by what libtorch loses: 2e-4 where it sums the 400 000 values of a channel in float, one after another. For data of
    // 16 bits the measure is another one (see MeanDifference): two roundings of a result, and in bfloat16 the statistics of a
    // channels-last GroupNorm, which libtorch rounds to 8 bits on the way.
    private static double OutputTolerance(DataType type) => type switch
    {
        DataType.Float => 1e-3,
        DataType.Double => 1e-9,
        DataType.Half => 2e-3,
        _ => 3e-2,
    };

    // libtorch adds up the gradients of bfloat16 parameters in bfloat16, where thousands of terms leave one digit. A wrong formula would
    // be off by 1.
    private static double ParameterTolerance(DataType type) => type switch
    {
        DataType.Float => 1e-3,
        DataType.Double => 1e-9,
        DataType.Half => 1e-2,
        _ => 2e-1,
    };

    // As for outputs: the largest one, or of 16 bits the root of the mean square.
    private double ParameterDifference(double[] actual, double[] expected)
    {
        double[] squares = [.. actual.Zip(expected, (a, b) => (a - b) * (a - b))];
        return Math.Sqrt(_case.DataType is DataType.Half or DataType.BFloat16 ? squares.Average() : Largest(squares));
    }

    private double OutputDifference() => _case.DataType switch
    {
        DataType.Float => LargestDifference<float>(),
        DataType.Double => LargestDifference<double>(),
        DataType.Half => MeanDifference<Half>(),
        _ => MeanDifference<BFloat16>(),
    };

    private double LargestDifference<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* actual = (T*)_buffers.Out, expected = (T*)_buffers.Expected;
        T largest = T.Zero;
        for (long i = 0; i < _case.Shape.Elements; i++)
        {
            // Not the larger one: a NaN must stay.
            T difference = T.Abs(actual[i] - expected[i]);
            if (!(difference <= largest))
                largest = difference;
            if (T.IsNaN(largest))
                break;
        }

        return double.CreateTruncating(largest);
    }

    // The root of the mean square: single results that some peers compute in 16 bits can be off by whole units.
    private double MeanDifference<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* actual = (T*)_buffers.Out, expected = (T*)_buffers.Expected;
        double sum = 0;
        for (long i = 0; i < _case.Shape.Elements; i++)
        {
            double difference = double.CreateTruncating(actual[i]) - double.CreateTruncating(expected[i]);
            sum += difference * difference;
        }

        return Math.Sqrt(sum / _case.Shape.Elements);
    }

    // What the pass writes besides its output. Some backward passes are prepared by a forward that moves the running buffers.
    private double[][] Parameters() => _case.Pass.IsBackward()
        ? [Read(_buffers.WeightGradient), Read(_buffers.BiasGradient)]
        : [Read(_buffers.RunningMean), Read(_buffers.RunningVar)];

    private double[] Read(byte* values)
    {
        double[] result = new double[_case.Parameters];
        for (int i = 0; i < result.Length; i++)
            result[i] = _case.DataType == DataType.Double ? ((double*)values)[i] : ((float*)values)[i];
        return result;
    }

    // A NaN among them counts as the largest.
    private static double Largest(double[] values) => values.Any(double.IsNaN) ? double.NaN : values.Max();
}
