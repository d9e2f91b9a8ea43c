using System.Numerics.Tensors;
using NormInterop.Tests.Support;

namespace NormInterop.Tests.State;

/// <summary>Tensors of a state dict on their own.</summary>
[TestClass]
public sealed class StateTensorTests
{
    [TestMethod]
    public void EveryNumber_ComesBackToTheBit()
    {
        RoundTrip(StateDataType.F32, "F32", 1.5f, float.NaN, -0f);
        RoundTrip(StateDataType.F64, "F64", Math.PI, double.Epsilon, double.NegativeInfinity);
        RoundTrip(StateDataType.F16, "F16", Half.MaxValue, Half.NaN, Half.Epsilon);
        RoundTrip(StateDataType.BF16, "BF16", BFloat16.Pi, BFloat16.NaN, BFloat16.FromBits(0x7F81));
        RoundTrip(StateDataType.I64, "I64", long.MinValue, 0, 1);
        RoundTrip(StateDataType.I32, "I32", int.MinValue, 0, 1);
        RoundTrip(StateDataType.I16, "I16", short.MinValue, (short)0, (short)1);
        RoundTrip(StateDataType.I8, "I8", sbyte.MinValue, (sbyte)0, (sbyte)1);
        RoundTrip(StateDataType.U64, "U64", ulong.MaxValue, 0ul, 1ul);
        RoundTrip(StateDataType.U32, "U32", uint.MaxValue, 0u, 1u);
        RoundTrip(StateDataType.U16, "U16", ushort.MaxValue, (ushort)0, (ushort)1);
        RoundTrip(StateDataType.U8, "U8", byte.MaxValue, (byte)0, (byte)1);
    }

    [TestMethod]
    public void Bytes_AreLittleEndianAndInRowMajorOrder()
    {
        CollectionAssert.AreEqual(
            (byte[])[1, 0, 0, 0, 0, 1, 0, 0], StateTensor.FromTensor(Tensor.Create<int>([1, 256], [2])).ToBytes());
        foreach (Form form in Enum.GetValues<Form>())
        {
            StateTensor state = StateTensor.FromTensor(Tensors.Random(3, [2, 3, 4, 5], form));
            CollectionAssert.AreEqual(
                Tensors.Flat(Tensors.Random(3, [2, 3, 4, 5])), Tensors.Flat(state.ToTensor<float>()), $"{form}");
        }
    }

    [TestMethod]
    public void Copies_AreIndependent()
    {
        Tensor<float> tensor = Tensor.Create<float>([1, 2], [2]);
        StateTensor state = StateTensor.FromTensor(tensor);
        tensor[0] = 7;
        state.ToTensor<float>()[1] = 8;
        state.ToBytes()[0] = 9;
        CollectionAssert.AreEqual((float[])[1, 2], Tensors.Flat(state.ToTensor<float>()));
    }

    [TestMethod]
    public void Scalars_HaveShapeNothing()
    {
        StateTensor scalar = StateTensor.FromScalar(-3L);
        Assert.AreEqual(0, scalar.Shape.Length);
        Assert.AreEqual(-3L, scalar.ToScalar<long>());
        Assert.AreEqual("I64 []", scalar.ToString());
        CollectionAssert.AreEqual((nint[])[1], scalar.ToTensor<long>().Lengths.ToArray());
        StateTensor two = StateTensor.FromTensor(Tensor.Create<float>([1, 2], [2]));
        Assert.Contains("[2] has 2 elements", Assert.ThrowsExactly<InvalidOperationException>(() => two.ToScalar<float>()).Message);
    }

    [TestMethod]
    public void EmptyTensors_KeepTheirShape()
    {
        StateTensor state = StateTensor.FromTensor(Tensor.CreateFromShape<float>([2, 0, 3]));
        Assert.AreEqual(0, state.ByteLength);
        Assert.AreEqual("F32 [2, 0, 3]", state.ToString());
        CollectionAssert.AreEqual((nint[])[2, 0, 3], state.ToTensor<float>().Lengths.ToArray());
        Assert.IsEmpty(state.ToBytes());
    }

    [TestMethod]
    public void OtherTypes_AreRefused()
    {
        StateTensor state = StateTensor.FromTensor(Tensor.Create<float>([1, 2], [2]));
        Assert.Contains("F32; Double reads F64", Assert.ThrowsExactly<InvalidOperationException>(() => state.ToTensor<double>()).Message);
        Assert.Contains(
            "Char", Assert.ThrowsExactly<NotSupportedException>(() => StateTensor.FromTensor(Tensor.Create<char>(['a'], [1]))).Message);
        Assert.ThrowsExactly<NotSupportedException>(() => StateTensor.FromScalar(true));
        Assert.ThrowsExactly<ArgumentNullException>(() => StateTensor.FromTensor<float>(null!));
    }

    [TestMethod]
    public void FromBytes_TakesEveryType_AndChecksTheLength()
    {
        // 24 bits are whole elements and whole bytes of every type of up to 8 bits.
        foreach (StateDataType type in Enum.GetValues<StateDataType>())
        {
            StateTensor state = StateTensor.FromBytes(type, [4, 2], Enumerable.Range(0, BytesOfEight(type)).Select(i => (byte)i).ToArray());
            Assert.AreEqual(BytesOfEight(type), state.ByteLength);
            Assert.AreEqual(type, state.DataType);
            Assert.ThrowsExactly<ArgumentException>(() => StateTensor.FromBytes(type, [4, 2], new byte[BytesOfEight(type) + 1]));
        }

        Assert.ThrowsExactly<ArgumentException>(() => StateTensor.FromBytes(StateDataType.F4, [3], new byte[1]));
        Assert.ThrowsExactly<ArgumentException>(() => StateTensor.FromBytes(StateDataType.F32, [-1], []));
        Assert.ThrowsExactly<ArgumentException>(() => StateTensor.FromBytes(StateDataType.F32, [nint.MaxValue, nint.MaxValue], []));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => StateTensor.FromBytes((StateDataType)99, [1], [1]));
    }

    [TestMethod]
    public void CopyBytesTo_CopiesAPart()
    {
        StateTensor state = StateTensor.FromBytes(StateDataType.U8, [5], [10, 11, 12, 13, 14]);
        byte[] part = new byte[3];
        state.CopyBytesTo(2, part);
        CollectionAssert.AreEqual((byte[])[12, 13, 14], part);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => state.CopyBytesTo(3, part));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => state.CopyBytesTo(-1, part));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => state.CopyBytesTo(long.MaxValue, part));
    }

    private static int BytesOfEight(StateDataType type) => type switch
    {
        StateDataType.F4 => 4,
        StateDataType.F6E2M3 or StateDataType.F6E3M2 => 6,
        <= StateDataType.F8E5M2Fnuz => 8,
        <= StateDataType.BF16 => 16,
        <= StateDataType.F32 => 32,
        _ => 64,
    };

    private static void RoundTrip<TData>(StateDataType type, string name, params TData[] values)
        where TData : unmanaged
    {
        StateTensor state = StateTensor.FromTensor(Tensor.Create(values, [3, 1]));
        Assert.AreEqual(type, state.DataType);
        Assert.AreEqual($"{name} [3, 1]", state.ToString());
        CollectionAssert.AreEqual((nint[])[3, 1], state.Shape.ToArray());
        TData[] back = new TData[3];
        state.ToTensor<TData>().FlattenTo(back);
        ReadOnlySpan<byte> expected = System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan());
        Assert.IsTrue(expected.SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes(back.AsSpan())), name);
        Assert.IsTrue(!BitConverter.IsLittleEndian || expected.SequenceEqual(state.ToBytes()), name);
    }
}
