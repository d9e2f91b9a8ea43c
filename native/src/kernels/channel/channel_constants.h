// From statistics to the constants that the apply kernels take. Everything in double, rounded once at the end.
#pragma once

#include <math.h>

#include "kernels/kernel_types.h"

namespace ni {

/// 1 / sqrt(var + eps), or 0 where there is nothing to normalize.
inline double invstd_of(double var, double eps) { return var + eps == 0 ? 0.0 : 1.0 / sqrt(var + eps); }

/// A mean as the nearest float and what is left of it. x - high is exact for x close to the mean, which is why an
/// offset of the data costs no accuracy; the rest goes into the constant term.
struct SplitMean {
    explicit SplitMean(double mean) : high(static_cast<float>(mean)), low(high == mean ? 0.0 : mean - high) {}
    float high;
    double low;
};

/// y = (x - mean) * invstd * gamma + beta as (x - high) * s + (beta - low * s).
inline ApplyConstants apply_constants(double mean, double invstd, double gamma, double beta) {
    const SplitMean split(mean);
    const double scale = gamma * invstd;
    return {split.high, static_cast<float>(scale), static_cast<float>(beta - split.low * scale)};
}

/// dx = gamma * invstd * (dy - dy / n - x^ * k) with x^ = (x - mean) * invstd and k = invstd * dy_xmu / n, as
/// dy * s + ((x - high) * invstd * (-s * k) + s * (low * invstd * k - dy / n)).
inline BackwardConstants backward_constants(double mean, double invstd, double gamma, const GradientSums& sums,
                                            double count) {
    const SplitMean split(mean);
    const double scale = gamma * invstd, k = invstd * (sums.dy_xmu / count);
    return {split.high, static_cast<float>(invstd), static_cast<float>(scale), static_cast<float>(-scale * k),
            static_cast<float>(scale * (split.low * invstd * k - sums.dy / count))};
}

/// sum(dy * (x - mean)) from the sum around the rounded mean.
inline GradientSums recentered(const GradientSums& sums, double mean) {
    return {sums.dy, sums.dy_xmu - SplitMean(mean).low * sums.dy};
}

}  // namespace ni
