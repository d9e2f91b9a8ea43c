using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Properties;

/// <summary>A layer and an input for it that nobody has chosen. ToString is what a failure prints.</summary>
/// <param name="Layer">Name of the module type.</param>
/// <param name="Lengths">Shape of the input, "2x3x5".</param>
/// <param name="Part">Groups of GroupNorm; number of normalized dimensions of LayerNorm and RMSNorm.</param>
/// <param name="Affine">Whether there are parameters.</param>
/// <param name="Form">How the input lies in memory.</param>
/// <param name="Seed">Of input, output gradient and parameters.</param>
public sealed record LayerCall(string Layer, string Lengths, int Part, bool Affine, Form Form, int Seed)
{
    // The same cases in every run. A failure prints its case, made small, and the seed; another seed finds other cases.
    private const ulong FirstSeed = 20240229;
    private const ulong Gamma = 0x9E37_79B9_7F4A_7C15;

    internal static readonly string[] Normalizing = [.. ModuleTypes.ByName.Keys.Where(layer => layer != "CaffeScale")];

    internal int[] Shape => Tensors.Shape(Lengths);

    internal int Count => Tensors.Count(Shape);

    /// <summary>Numbers of the seed, of about standard deviation 1; another index gives other numbers.</summary>
    internal double[] Numbers(int index) => Data.Doubles(Values.Of((ulong)Seed + (ulong)index, Count));

    internal ModuleSettings Settings(double? eps = 1e-5, bool tracking = false) => new()
    {
        Channels = Shape[1],
        Groups = Part,
        Shape = Layer is "LayerNorm" or "RMSNorm" ? Shape[^Part..] : [],
        Affine = Affine,
        Bias = Affine,
        Eps = eps,
        Tracking = tracking,
    };

    internal NormModule<T> Make<T>(double? eps = 1e-5, bool tracking = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        NormModule<T> module = ModuleTypes.Make<T>(Layer, Settings(eps, tracking));
        ModuleTypes.Vary(module, (ulong)Seed);
        return module;
    }

    /// <summary>For each element, in row-major order, the number of the set that it is normalized with.</summary>
    internal int[] Sets()
    {
        int plane = Tensors.Count(Shape[2..]), channels = Shape[1];
        int row = Layer is "LayerNorm" or "RMSNorm" ? Tensors.Count(Shape[^Part..]) : 1;
        Func<int, int> set = Layer switch
        {
            "LayerNorm" or "RMSNorm" => i => i / row,
            "GroupNorm" => i => i / (plane * (channels / Part)),
            "InstanceNorm1d" or "InstanceNorm2d" or "InstanceNorm3d" => i => i / plane,
            _ => i => i / plane % channels,
        };
        return [.. Enumerable.Range(0, Count).Select(set)];
    }

    /// <summary>Runs a property over random calls of these layers.</summary>
    internal static void Check(string[] layers, Action<LayerCall> property, int count = 300)
    {
        Gen<LayerCall> cases =
            from layer in Gen.Elements(layers)
            from n in Gen.Choose(1, 5)
            from part in Gen.Choose(1, 4)
            from channels in Gen.Choose(1, 9)
            from spatial in Spatial(layer)
            from affine in Gen.Elements(true, false)
            from form in Gen.Elements(Form.Contiguous, Form.ChannelsLast, Form.Reversed)
            from seed in Gen.Choose(0, 1 << 30)
            let c = layer is "GroupNorm" ? channels * part : channels
            let call = new LayerCall(layer, string.Join('x', (int[])[n, c, .. spatial]), part, affine, form, seed)
            where call.IsValid
            select call;
        Config config = Config.QuickThrowOnFailure.WithMaxTest(count)
            .WithReplay(new Replay(new Rnd(FirstSeed, Gamma), FSharpOption<int>.None));
        FsCheck.Fluent.Prop.ForAll(Arb.From(cases, Smaller), property).Check(config);
    }

    // Ranks that the layer takes, batched.
    private static Gen<int[]> Spatial(string layer)
    {
        Gen<int[]> none = Gen.Constant(Array.Empty<int>()), one = Gen.Choose(1, 40).ArrayOf(1);
        Gen<int[]> two = Gen.Choose(1, 9).ArrayOf(2), three = Gen.Choose(1, 5).ArrayOf(3);
        return layer switch
        {
            "BatchNorm1d" => Gen.OneOf(none, one),
            "InstanceNorm1d" => one,
            "BatchNorm2d" or "InstanceNorm2d" => two,
            "BatchNorm3d" or "InstanceNorm3d" => three,
            _ => Gen.OneOf(none, one, two, three),
        };
    }

    // Layers refuse sets of one value where those have no variance; LayerNorm takes them, but they leave nothing to compare.
    private bool IsValid =>
        Part <= (Layer is "LayerNorm" or "RMSNorm" ? Shape.Length - 1 : Shape[1])
        && (Layer is not "GroupNorm" || Shape[1] % Part == 0)
        && Shape.All(length => length > 0)
        && (Layer is "CaffeScale" || Sets().GroupBy(set => set).All(set => set.Count() > 1));

    private static IEnumerable<LayerCall> Smaller(LayerCall c)
    {
        for (int i = 0; i < c.Shape.Length; i++)
        {
            int[] smaller = c.Shape;
            smaller[i] /= 2;
            LayerCall call = c with { Lengths = string.Join('x', smaller) };
            if (smaller[i] > 0 && call.IsValid)
                yield return call;
        }

        if (c.Form is not Form.Contiguous)
            yield return c with { Form = Form.Contiguous };
        if (c.Affine)
            yield return c with { Affine = false };
        if (c.Part > 1 && (c with { Part = 1 }).IsValid)
            yield return c with { Part = 1 };
        if (c.Seed != 0)
            yield return c with { Seed = c.Seed / 2 };
    }
}
