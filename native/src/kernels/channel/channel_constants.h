// From statistics to the constants that the apply kernels take, and from sums to parameter gradients. Everything in
// double, rounded once at the end.
#pragma once

#include <math.h>

#include "kernels/kernel_types.h"

namespace ni {

/// 1 / sqrt(var + eps), or 0 where there is nothing to normalize.
inline double invstd_of(double var, double eps) { return var + eps == 0 ? 0.0 : 1.0 / sqrt(var + eps); }

/// A mean as the nearest constant and what is left of it. x - high is exact for x close to the mean, which is why an
/// offset of the data costs no accuracy; the rest goes into the constant term. Where constants are double, nothing is
/// left.
template <class Constant>
struct SplitMean {
    explicit SplitMean(double mean)
        : high(static_cast<Constant>(mean)),
          low(static_cast<double>(high) == mean ? 0.0 : mean - static_cast<double>(high)) {}
    Constant high;
    double low;

    /// low * v. An infinite v, of data with infinities, must not become NaN where nothing is left of the mean.
    double times_low(double v) const { return low == 0 ? 0.0 : low * v; }
};

/// y = (x - mean) * invstd * gamma + beta as (x - high) * s + (beta - low * s).
template <class Constant>
ApplyConstants<Constant> apply_constants(double mean, double invstd, double gamma, double beta) {
    const SplitMean<Constant> split(mean);
    const double scale = gamma * invstd;
    return {split.high, static_cast<Constant>(scale), static_cast<Constant>(beta - split.times_low(scale))};
}

/// dx = dy * scale - common * (mean_g + x^ * k), with x^ = (x - mean) * invstd and k = invstd * mean_g_xmu, as
/// dy * scale + ((x - high) * invstd * (-common * k) + common * (low * invstd * k - mean_g)).
/// The means are those of the gradient g of x^ and of g * (x - mean), over the normalized set. Where gamma belongs to
/// the whole set, g may be dy and `common` carries gamma; otherwise g is gamma * dy. `common` has invstd in it.
template <class Constant>
BackwardConstants<Constant> backward_constants(double mean, double invstd, double scale, double common, double mean_g,
                                               double mean_g_xmu) {
    const SplitMean<Constant> split(mean);
    const double k = invstd * mean_g_xmu;
    return {split.high, static_cast<Constant>(invstd), static_cast<Constant>(scale), static_cast<Constant>(-common * k),
            static_cast<Constant>(common * (split.times_low(invstd * k) - mean_g))};
}

/// sum(dy * (x - mean)) from the sum around the rounded mean.
template <class Constant>
GradientSums recentered(const GradientSums& sums, double mean) {
    // Sums that are infinite already have no use for the correction.
    const double rest = sums.dy - sums.dy == 0 ? SplitMean<Constant>(mean).times_low(sums.dy) : 0.0;
    return {sums.dy, sums.dy_xmu - rest};
}

/// Element c of an array of parameters that may be absent.
template <class Parameter>
double value_or(const Parameter* values, int64_t c, double otherwise) {
    return values ? static_cast<double>(values[c]) : otherwise;
}

/// Where parameter gradients go; null where they are not wanted.
template <class Parameter>
struct ParameterGradients {
    Parameter* weight;
    Parameter* bias;
    bool accumulate;

    void store(int64_t c, double of_weight, double of_bias) const {
        store(weight, c, of_weight);
        store(bias, c, of_bias);
    }

private:
    void store(Parameter* gradient, int64_t c, double value) const {
        if (!gradient) return;
        gradient[c] = static_cast<Parameter>(accumulate ? static_cast<double>(gradient[c]) + value : value);
    }
};

}  // namespace ni
