namespace NormInterop.Tests.State;

/// <summary>A state dict as a collection.</summary>
[TestClass]
public sealed class StateDictTests
{
    private static readonly StateTensor One = StateTensor.FromScalar(1f);
    private static readonly StateTensor Two = StateTensor.FromScalar(2f);

    [TestMethod]
    public void Tensors_StayInOrder()
    {
        using StateDict state = new() { { "b", One }, { "a", Two }, { "c", One } };
        state["a"] = One;
        state["d"] = Two;
        Assert.IsTrue(state.Remove("b"));
        Assert.IsFalse(state.Remove("b"));
        CollectionAssert.AreEqual((string[])["a", "c", "d"], state.Keys.ToArray());
        CollectionAssert.AreEqual((StateTensor[])[One, One, Two], state.Values.ToArray());
        Assert.HasCount(3, state);
        Assert.AreSame(Two, state["d"]);
        Assert.IsTrue(state.TryGetValue("c", out StateTensor? found) && found == One);
        Assert.IsFalse(state.TryGetValue("b", out _));
        Assert.IsFalse(state.ContainsKey("A"), "names are told apart by case");
        Assert.ThrowsExactly<KeyNotFoundException>(() => state["b"]);
    }

    [TestMethod]
    public void NamesThatNoFileCanHold_AreRefused()
    {
        using StateDict state = [];
        foreach (string key in (string[])["__metadata__", "half \ud800 a pair", "half a pair \udc00", "\udc00\ud800"])
        {
            Assert.ThrowsExactly<ArgumentException>(() => state.Add(key, One));
            Assert.ThrowsExactly<ArgumentException>(() => state[key] = One);
        }

        Assert.IsEmpty(state);
    }

    [TestMethod]
    public void NullsAndTakenNames_AreRefused()
    {
        using StateDict state = new() { { "a", One } };
        Assert.ThrowsExactly<ArgumentNullException>(() => state.Add(null!, One));
        Assert.ThrowsExactly<ArgumentNullException>(() => state.Add("b", null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => state["b"] = null!);
        Assert.Contains("\"a\"", Assert.ThrowsExactly<ArgumentException>(() => state.Add("a", Two)).Message);
        Assert.AreSame(One, state["a"]);
    }

    [TestMethod]
    public void Merge_AppendsAll_OrNothing()
    {
        using StateDict left = new() { { "a", One }, { "b", One } }, right = new() { { "c", Two }, { "d", Two } };
        Assert.AreSame(left, left.Merge(right));
        CollectionAssert.AreEqual((string[])["a", "b", "c", "d"], left.Keys.ToArray());
        using StateDict overlapping = new() { { "e", Two }, { "b", Two }, { "d", Two } };
        string message = Assert.ThrowsExactly<ArgumentException>(() => left.Merge(overlapping)).Message;
        Assert.Contains("\"b\", \"d\"", message);
        Assert.HasCount(4, left);
        Assert.ThrowsExactly<ArgumentException>(() => left.Merge(left));
        Assert.ThrowsExactly<ArgumentNullException>(() => left.Merge(null!));
    }
}
