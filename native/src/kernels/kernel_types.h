// What the kernels of every instruction set take and give: plain structs, so that these files can be included anywhere.
#pragma once

#include <stdint.h>

#include "parallel/pieces.h"

namespace ni {

// The data types. Data: an element in memory. Parameter: an element of weights, biases, running buffers and their
// gradients. Constant: the precision of what a kernel is given; results are computed in it, or as if they were, and
// sums are kept in double.
struct Float32 {
    using Data = float;
    using Parameter = float;
    using Constant = float;
};
struct Float64 {
    using Data = double;
    using Parameter = double;
    using Constant = double;
};
/// IEEE 754 binary16.
struct Float16 {
    using Data = uint16_t;
    using Parameter = float;
    using Constant = double;
};
/// The upper half of a binary32.
struct BFloat16 {
    using Data = uint16_t;
    using Parameter = float;
    using Constant = double;
};

/// Mean and sum of squared deviations of a set of values whose number the caller knows.
struct Moments {
    double mean;
    double m2;
};

/// sum(dy) and sum(dy * (x - center)).
struct GradientSums {
    double dy;
    double dy_xmu;
};

/// y = (x - center) * scale + offset.
template <class Constant>
struct ApplyConstants {
    Constant center, scale, offset;
};

/// dx = dy * scale + ((x - center) * invstd * slope + offset). The slope belongs to the normalized x: that of x itself
/// would have the third power of invstd in it, and leave the range of a float long before dx does.
template <class Constant>
struct BackwardConstants {
    Constant center, invstd, scale, slope, offset;
};

/// Arrays of ApplyConstants' members, one element for each channel of Rows, or for each row.
template <class Constant>
struct ApplyArrays {
    const Constant *center, *scale, *offset;
};

/// Likewise of BackwardConstants.
template <class Constant>
struct BackwardArrays {
    const Constant *center, *invstd, *scale, *slope, *offset;
};

/// weight (gamma) and bias (beta) of the affine part; null stands for 1 and 0.
template <class Parameter>
struct Affine {
    const Parameter* weight;
    const Parameter* bias;
};

/// What may follow a normalization: y = activation(z), z being the normalized tensor, or its sum with another one.
/// kRelu: 0 where z <= 0, otherwise z. kSilu: z * sigmoid(z). Both leave a NaN one.
enum class Activation : int32_t { kNone, kRelu, kSilu };

/// A bit for each element of a tensor, in the order of memory: bit i % 8 of byte i / 8 is that of element i. `first` is
/// the element that a piece begins with.
template <class Byte>
struct Mask {
    Byte* bytes;
    int64_t first;
};

/// Where the output goes: through the cache, or past it because it is larger than the cache can hold.
enum class Store : int32_t { kCached, kStreaming };

/// A second output, element by element beside the first; null if not wanted.
template <class Data>
struct Beside {
    Data* data;
    Store store;
};

}  // namespace ni
