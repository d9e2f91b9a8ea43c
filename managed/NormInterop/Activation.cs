namespace NormInterop;

/// <summary>
/// What a layer puts behind its normalization, in the same pass over memory: y = activation(z), where z is the normalized input, or its
/// sum with a residual (He, Zhang, Ren and Sun 2016).
/// </summary>
/// <remarks>The result has the bits of the separate steps, each of which rounds to the data type: the layer without an activation,
/// then the sum, then the activation. The backward likewise: first g = dy * activation'(z), rounded to the data type, then the backward
/// of the layer with g for dy; g is the gradient of the residual, too.</remarks>
public enum Activation
{
    /// <summary>y = z: the layer alone.</summary>
    None,

    /// <summary>Rectified linear unit (Nair and Hinton 2010): y = z where z is greater than 0 or NaN, otherwise 0. g = dy where z is
    /// greater than 0 or NaN, otherwise 0. The only one that takes a residual.</summary>
    ReLU,

    /// <summary>Sigmoid linear unit (Hendrycks and Gimpel 2016; "swish", Ramachandran, Zoph and Le 2017): y = z * s with
    /// s = 1 / (1 + exp(-z)), within 2 units in the last place for float and within 4 for double. g = dy * s * (1 + z * (1 - s)). Of
    /// infinities, what has 0 times infinity is NaN: y of the negative, g of both.</summary>
    SiLU,
}
