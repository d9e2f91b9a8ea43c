using System.Numerics;
using System.Numerics.Tensors;

namespace NormInterop.Tests.Support;

/// <summary>Every module type by its name, for tests that run over all of them.</summary>
internal static class ModuleTypes
{
    /// <summary>Name and open generic type. Coverage/ModuleCoverageTests fails where a public module type is not here.</summary>
    internal static readonly IReadOnlyDictionary<string, Type> ByName = new Dictionary<string, Type>
    {
        ["BatchNorm1d"] = typeof(BatchNorm1d<>),
        ["BatchNorm2d"] = typeof(BatchNorm2d<>),
        ["BatchNorm3d"] = typeof(BatchNorm3d<>),
        ["SyncBatchNorm"] = typeof(SyncBatchNorm<>),
        ["InstanceNorm1d"] = typeof(InstanceNorm1d<>),
        ["InstanceNorm2d"] = typeof(InstanceNorm2d<>),
        ["InstanceNorm3d"] = typeof(InstanceNorm3d<>),
        ["GroupNorm"] = typeof(GroupNorm<>),
        ["LayerNorm"] = typeof(LayerNorm<>),
        ["RMSNorm"] = typeof(RMSNorm<>),
        ["CaffeBatchNorm"] = typeof(CaffeBatchNorm<>),
        ["CaffeScale"] = typeof(CaffeScale<>),
    };

    internal static NormModule<T> Make<T>(string layer, ModuleSettings s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => layer switch
        {
            "BatchNorm1d" => new BatchNorm1d<T>(s.Channels, s.Eps!.Value, s.Momentum, s.Affine, s.Tracking) { Activation = s.Activation },
            "BatchNorm2d" => new BatchNorm2d<T>(s.Channels, s.Eps!.Value, s.Momentum, s.Affine, s.Tracking) { Activation = s.Activation },
            "BatchNorm3d" => new BatchNorm3d<T>(s.Channels, s.Eps!.Value, s.Momentum, s.Affine, s.Tracking) { Activation = s.Activation },
            "SyncBatchNorm" => new SyncBatchNorm<T>(s.Channels, new EmptyPartner(), s.Eps!.Value, s.Momentum, s.Affine, s.Tracking)
            {
                Activation = s.Activation,
            },
            "InstanceNorm1d" => new InstanceNorm1d<T>(s.Channels, s.Eps!.Value, s.Momentum!.Value, s.Affine, s.Tracking)
            {
                Activation = s.Activation,
            },
            "InstanceNorm2d" => new InstanceNorm2d<T>(s.Channels, s.Eps!.Value, s.Momentum!.Value, s.Affine, s.Tracking)
            {
                Activation = s.Activation,
            },
            "InstanceNorm3d" => new InstanceNorm3d<T>(s.Channels, s.Eps!.Value, s.Momentum!.Value, s.Affine, s.Tracking)
            {
                Activation = s.Activation,
            },
            "GroupNorm" => new GroupNorm<T>(s.Groups, s.Channels, s.Eps!.Value, s.Affine) { Activation = s.Activation },
            "LayerNorm" => new LayerNorm<T>(s.Shape, s.Eps!.Value, s.Affine, s.Bias),
            "RMSNorm" => new RMSNorm<T>(s.Shape, s.Eps, s.Affine),
            "CaffeBatchNorm" => new CaffeBatchNorm<T>(s.Channels, s.Eps!.Value, s.Fraction, s.UseGlobalStats),
            "CaffeScale" => new CaffeScale<T>(s.Shape, s.Axis, s.Bias),
            _ => throw new ArgumentOutOfRangeException(nameof(layer), layer, "Expected one of the names."),
        };

    /// <summary>The buffers that a module has, by the names of the golden files.</summary>
    internal static IEnumerable<(string Name, Tensor<T> Values)> Buffers<T>(NormModule<T> module)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (string, Tensor<T>?)[] all = module switch
        {
            RunningNorm<T> norm => [("running_mean", norm.RunningMean), ("running_var", norm.RunningVar)],
            CaffeBatchNorm<T> norm => [("mean_sum", norm.MeanSum), ("variance_sum", norm.VarSum), ("factor", norm.Factor)],
            _ => [],
        };
        foreach ((string name, Tensor<T>? values) in all)
        {
            if (values is not null)
                yield return (name, values);
        }
    }

    /// <summary>Parameters and buffers of which none is at its default, and which are floats in every type.</summary>
    internal static void Vary<T>(NormModule<T> module, ulong seed = 4711)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Values values = new(seed);
        if (module.Weight is not null)
            Data.Fill(module.Weight.Value, values.Array((int)module.Weight.Value.FlattenedLength, offset: 0.5f));
        if (module.Bias is not null)
            Data.Fill(module.Bias.Value, values.Array((int)module.Bias.Value.FlattenedLength));
        foreach ((string name, Tensor<T> buffer) in Buffers(module))
        {
            float[] contents = values.Array((int)buffer.FlattenedLength);
            if (name is "running_var" or "variance_sum")
                contents = Array.ConvertAll(contents, value => 0.5f + Math.Abs(value));
            Data.Fill(buffer, name is "factor" ? [2.5f] : contents);
        }
    }

    /// <summary>The oracle of a module as it is now: with its parameters and buffers.</summary>
    internal static LayerOracle Oracle<T>(string layer, ModuleSettings settings, NormModule<T> module)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] weight = module.Weight is null ? [] : Data.Flat(module.Weight.Value);
        double[] bias = module.Bias is null ? [] : Data.Flat(module.Bias.Value);
        LayerOracle oracle = new(layer, settings, weight, bias, double.CreateTruncating(T.BitIncrement(T.One) - T.One));
        foreach ((string name, Tensor<T> buffer) in Buffers(module))
            Data.Flat(buffer).CopyTo(oracle.Buffer(name), 0);
        return oracle;
    }
}
