namespace NormInterop.Tests.Errors;

/// <summary>An axis that no tensor has is refused where it is given, not where its arithmetic overflows.</summary>
[TestClass]
public sealed class CaffeScaleAxisTests
{
    [TestMethod]
    [DataRow(int.MinValue)]
    [DataRow(int.MaxValue)]
    [DataRow(-65_537)]
    public void ImpossibleAxis_IsRefusedByTheConstructor(int axis)
    {
        ArgumentOutOfRangeException e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new CaffeScale<float>([3], axis));
        Assert.AreEqual("axis", e.ParamName);
        Assert.AreEqual(axis, e.ActualValue);
    }
}
