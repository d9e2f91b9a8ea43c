using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.Errors;

/// <summary>Float, Half and BFloat16 data go with float parameters, double with double, and nothing else with anything.</summary>
[TestClass]
public sealed class DataTypeTests
{
    public static IEnumerable<string> Layers => ModuleTypes.ByName.Keys;

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void OtherParameterTypes_AreRefusedByName(string layer)
    {
        Refused<Half>();
        Refused<BFloat16>();
        Refused<NFloat>();

        void Refused<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var e = Assert.ThrowsExactly<NotSupportedException>(() => ModuleTypes.Make<T>(layer, First(layer).Settings));
            Assert.AreEqual($"Parameters of type {typeof(T).Name} are not supported; expected Single or Double.", e.Message);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void DataThatFit_AreTaken(string layer)
    {
        ModuleCase c = First(layer);
        foreach (string type in Data.Types)
        {
            AnyLayer module = AnyLayer.Make(type, c);
            double[] x = module.Rounded(Data.Doubles(Values.Of(1, Tensors.Count(c.Shape))));
            LayerOracle oracle = module.Oracle;
            double[] expected = oracle.Forward(c.Shape, x, training: true), y = module.Forward(x, c.Shape);

            // Half a step of BFloat16 near 4 is 2^-7; that the last digits are right is the business of the tests of accuracy.
            Close.Relative(type is "double" ? 1e-14 : type is "float" ? 1e-6 : 4e-3, expected, y, $"y of {type}", scale: 1);
            module.Backward(x, c.Shape);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void OtherDataThanFit_AreRefusedByName(string layer)
    {
        ModuleCase c = First(layer);
        RefusedByFloat<double>();
        RefusedByFloat<int>();
        RefusedByFloat<ushort>();
        RefusedByDouble<float>();
        RefusedByDouble<Half>();
        RefusedByDouble<BFloat16>();
        RefusedByDouble<long>();

        void RefusedByFloat<TData>()
            where TData : unmanaged
        {
            Tensor<TData> x = Tensor.CreateFromShape<TData>(Tensors.Lengths(c.Shape));
            Refusal refusal = new(c);
            refusal.Says<NotSupportedException>(Message<TData, float>(), () => refusal.Norm.Forward(x));
            refusal = new(c);
            refusal.Says<NotSupportedException>(Message<TData, float>(), () => refusal.Norm.Forward(x, refusal.Context));
            refusal = new(c, training: false);
            refusal.Says<NotSupportedException>(
                Message<TData, float>(), () => refusal.Norm.Forward(x.AsReadOnlyTensorSpan(), x.AsTensorSpan(), refusal.Context));
        }

        void RefusedByDouble<TData>()
            where TData : unmanaged
        {
            NormModule<double> module = ModuleTypes.Make<double>(layer, c.Settings);
            Tensor<TData> x = Tensor.CreateFromShape<TData>(Tensors.Lengths(c.Shape));
            ModuleState before = ModuleState.Of(module);
            Assert.AreEqual(Message<TData, double>(), Assert.ThrowsExactly<NotSupportedException>(() => module.Forward(x)).Message);
            Assert.ThrowsExactly<NotSupportedException>(() => module.Forward(x.AsReadOnlyTensorSpan(), x.AsTensorSpan()));
            before.AssertEqual(ModuleState.Of(module), "after the refused call");
        }
    }

    /// <summary>A backward is of the type of its forward, also where the module would take the other one.</summary>
    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void BackwardOfAnotherTypeThanItsForward_IsRefused(string layer)
    {
        ModuleCase c = First(layer);
        Refused<Half>("Half");
        Refused<BFloat16>("BFloat16");
        Refused<double>("Double");

        void Refused<TData>(string name)
            where TData : unmanaged
        {
            Tensor<TData> dy = Tensor.CreateFromShape<TData>(Tensors.Lengths(c.Shape));
            string message = $"gradOutput is of type {name}; expected Single, the type of the forward's data.";
            Refusal refusal = new(c);
            refusal.Says<ArgumentException>(message, () => refusal.Norm.Backward(dy));
            refusal = new(c);
            refusal.Says<ArgumentException>(message, () => refusal.Norm.Backward(dy, refusal.Context));
            refusal = new(c);
            refusal.Says<ArgumentException>(message, () => refusal.Norm.Backward(
                dy.AsReadOnlyTensorSpan(), dy.AsReadOnlyTensorSpan(), dy.AsTensorSpan(), refusal.Context));
        }
    }

    [TestMethod]
    public void Functions_RefuseTheSame()
    {
        Refused<double, float>();
        Refused<float, double>();
        Refused<Half, double>();
        Refused<BFloat16, double>();
        Refused<int, float>();
        Refused<float, Half>();
        Refused<Half, Half>();

        static void Refused<TData, T>()
            where TData : unmanaged
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            Tensor<TData> x = Tensor.CreateFromShape<TData>([4, 3, 2]);
            foreach (Action call in new Action[]
            {
                () => Norm.BatchNorm<TData, T>(x, null, null, training: true),
                () => Norm.InstanceNorm<TData, T>(x),
                () => Norm.GroupNorm<TData, T>(x, 3),
                () => Norm.LayerNorm<TData, T>(x, [3, 2]),
                () => Norm.RmsNorm<TData, T>(x, [3, 2]),
            })
            {
                Assert.AreEqual(Message<TData, T>(), Assert.ThrowsExactly<NotSupportedException>(call).Message);
            }
        }
    }

    private static ModuleCase First(string layer) => ModuleCase.All.First(c => c.Layer == layer);

    private static string Message<TData, T>() =>
        $"Data of type {typeof(TData).Name} with parameters of type {typeof(T).Name} is not supported; expected "
        + "Single, Half or BFloat16 with Single, or Double with Double.";
}
