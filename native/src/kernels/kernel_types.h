// What the kernels of every instruction set take and give: plain structs, so that these files can be included anywhere.
#pragma once

#include <stdint.h>

#include "parallel/pieces.h"

namespace ni {

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
struct ApplyConstants {
    float center, scale, offset;
};

/// dx = dy * scale + ((x - center) * invstd * slope + offset). The slope belongs to the normalized x: that of x itself
/// would have the third power of invstd in it, and leave the range of a float long before dx does.
struct BackwardConstants {
    float center, invstd, scale, slope, offset;
};

/// Arrays of ApplyConstants' members, one element for each channel of Rows.
struct ApplyArrays {
    const float *center, *scale, *offset;
};

/// Likewise of BackwardConstants.
struct BackwardArrays {
    const float *center, *invstd, *scale, *slope, *offset;
};

/// Where the output goes: through the cache, or past it because it is larger than the cache can hold.
enum class Store : int32_t { kCached, kStreaming };

}  // namespace ni
