using System.Collections.Concurrent;
using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Tests.Support;

/// <summary>
/// A layer for data of any type, called with row-major numbers in double, which are rounded to the type: for tests that are the same
/// for all layers and types.
/// </summary>
internal abstract class AnyLayer
{
    /// <summary>A layer with parameters and buffers that are not at their defaults.</summary>
    internal static AnyLayer Make(string type, string layer, ModuleSettings settings) => type switch
    {
        "float" => new AnyLayer<float, float>(layer, settings),
        "double" => new AnyLayer<double, double>(layer, settings),
        "Half" => new AnyLayer<Half, float>(layer, settings),
        "BFloat16" => new AnyLayer<BFloat16, float>(layer, settings),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Expected one of Data.Types."),
    };

    internal static AnyLayer Make(string type, ModuleCase c) => Make(type, c.Layer, c.Settings);

    /// <summary>Strides of the tensor that the last call has returned.</summary>
    internal string Strides { get; private protected set; } = "";

    internal abstract ModuleState State { get; }

    internal abstract LayerOracle Oracle { get; }

    /// <summary>Number of batches tracked, of the layers that count.</summary>
    internal abstract long Batches { get; }

    internal abstract int MaxThreads { set; }

    internal abstract AnyLayer Train(bool mode = true);

    /// <summary>Sets all elements of the weight, if there is one.</summary>
    internal abstract void FillWeight(double value);

    internal abstract void ZeroGradients();

    /// <summary>Sets running means and variances, or Caffe's sums, to 0.</summary>
    internal abstract void ClearBuffers();

    /// <summary>Numbers as the type of the data holds them.</summary>
    internal abstract double[] Rounded(double[] values);

    /// <summary>Through tensors. Context 0 is the module's own, every other number one that is made when it is first named.</summary>
    internal abstract double[] Forward(double[] x, int[] shape, Form form = Form.Contiguous, int context = 0);

    internal abstract double[] Backward(double[] dy, int[] shape, Form form = Form.Contiguous, int context = 0);

    /// <summary>Through spans, of forms of their own. Null is for no context.</summary>
    internal abstract double[] ForwardSpans(double[] x, int[] shape, Form inputForm, Form outputForm, int? context = 1);

    internal abstract double[] BackwardSpans(double[] dy, double[] x, int[] shape, Form dyForm, Form xForm, Form dxForm, int context = 1);

    /// <summary>Backward with the gradient in the place of dy, or else of x.</summary>
    internal abstract double[] BackwardInPlace(double[] dy, double[] x, int[] shape, Form form, bool overDy, int context = 1);

    /// <summary>Forward with the output in the place of the input.</summary>
    internal abstract double[] ForwardInPlace(double[] x, int[] shape, Form form, int? context = null);
}

/// <inheritdoc cref="AnyLayer"/>
internal sealed class AnyLayer<TData, T> : AnyLayer
    where TData : unmanaged, INumberBase<TData>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly string _layer;
    private readonly ModuleSettings _settings;
    private readonly NormModule<T> _module;
    private readonly ConcurrentDictionary<int, NormContext<T>> _contexts = [];

    internal AnyLayer(string layer, ModuleSettings settings)
    {
        _layer = layer;
        _settings = settings;
        _module = ModuleTypes.Make<T>(layer, settings);
        ModuleTypes.Vary(_module);
    }

    internal override ModuleState State => ModuleState.Of(_module);

    internal override LayerOracle Oracle => ModuleTypes.Oracle(_layer, _settings, _module);

    internal override long Batches => _module is RunningNorm<T> norm ? norm.NumBatchesTracked : 0;

    internal override int MaxThreads
    {
        set => _module.MaxThreads = value;
    }

    internal override AnyLayer Train(bool mode = true)
    {
        _module.Train(mode);
        return this;
    }

    internal override void FillWeight(double value) => _module.Weight?.Value.Fill(T.CreateTruncating(value));

    internal override void ZeroGradients() => _module.ZeroGradients();

    internal override void ClearBuffers()
    {
        foreach ((_, Tensor<T> buffer) in ModuleTypes.Buffers(_module))
            buffer.Clear();
    }

    internal override double[] Rounded(double[] values) =>
        Array.ConvertAll(values, value => double.CreateTruncating(TData.CreateTruncating(value)));

    internal override double[] Forward(double[] x, int[] shape, Form form = Form.Contiguous, int context = 0)
    {
        Tensor<TData> input = Data.Make<TData>(x, shape, form);
        return Read(context == 0 ? _module.Forward(input) : _module.Forward(input, Context(context)), shape);
    }

    internal override double[] Backward(double[] dy, int[] shape, Form form = Form.Contiguous, int context = 0)
    {
        Tensor<TData> gradient = Data.Make<TData>(dy, shape, form);
        return Read(context == 0 ? _module.Backward(gradient) : _module.Backward(gradient, Context(context)), shape);
    }

    internal override double[] ForwardSpans(double[] x, int[] shape, Form inputForm, Form outputForm, int? context = 1)
    {
        Tensor<TData> input = Data.Make<TData>(x, shape, inputForm), output = Data.Poisoned<TData>(shape, outputForm);
        _module.Forward(input.AsReadOnlyTensorSpan(), output.AsTensorSpan(), context is null ? null : Context(context.Value));
        Tensors.AssertSurroundingsUntouched(output, $"y in {outputForm}");
        return Read(output, shape);
    }

    internal override double[] BackwardSpans(
        double[] dy, double[] x, int[] shape, Form dyForm, Form xForm, Form dxForm, int context = 1)
    {
        Tensor<TData> gradOutput = Data.Make<TData>(dy, shape, dyForm), input = Data.Make<TData>(x, shape, xForm);
        Tensor<TData> gradInput = Data.Poisoned<TData>(shape, dxForm);
        _module.Backward(
            gradOutput.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), gradInput.AsTensorSpan(), Context(context));
        Tensors.AssertSurroundingsUntouched(gradInput, $"dx in {dxForm}");
        return Read(gradInput, shape);
    }

    internal override double[] BackwardInPlace(double[] dy, double[] x, int[] shape, Form form, bool overDy, int context = 1)
    {
        Tensor<TData> gradOutput = Data.Make<TData>(dy, shape, form), input = Data.Make<TData>(x, shape, form);
        Tensor<TData> place = overDy ? gradOutput : input;
        _module.Backward(gradOutput.AsReadOnlyTensorSpan(), input.AsReadOnlyTensorSpan(), place.AsTensorSpan(), Context(context));
        return Read(place, shape);
    }

    internal override double[] ForwardInPlace(double[] x, int[] shape, Form form, int? context = null)
    {
        Tensor<TData> input = Data.Make<TData>(x, shape, form);
        try
        {
            _module.Forward(input.AsReadOnlyTensorSpan(), input.AsTensorSpan(), context is null ? null : Context(context.Value));
        }
        catch (ArgumentException)
        {
            Expect.SameBits(Rounded(x), Data.Flat(input), "the input of the refused call");
            throw;
        }

        return Read(input, shape);
    }

    private NormContext<T> Context(int number) => _contexts.GetOrAdd(number, _ => new NormContext<T>());

    private double[] Read(Tensor<TData> tensor, int[] shape)
    {
        Assert.AreEqual(string.Join('x', shape), string.Join('x', tensor.Lengths.ToArray()), "lengths of the result");
        Strides = Tensors.Strides(tensor);
        return Data.Flat(tensor);
    }
}
