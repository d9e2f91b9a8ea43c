// When the fast pass over a block can be trusted, and when the block is summed again in two passes in double.
#pragma once

namespace {
namespace ni_screen {

/// M2 must keep at least this part of sum(d^2): below it, the shift was too far from the mean, and the subtraction of
/// sum(d)^2 / n would have cost more than two bits.
constexpr double kLeastPart = 0.25;

/// sum(d^2) / n must be at least this: below it, squares may have been lost to underflow.
constexpr double least_square(float) { return 1e-36; }
constexpr double least_square(uint16_t) { return 1e-36; }
constexpr double least_square(double) { return 1e-290; }

/// True where the moments are as good as the precision of the sums allows. False for NaN and for sums that overflowed.
template <class Data>
NI_INLINE bool trusted(double m2, double square, double count, Data precision) {
    return m2 >= kLeastPart * square && square >= least_square(precision) * count && square - square == 0.0;
}

/// 0 for what rounding left below it; a NaN stays one.
NI_INLINE double never_negative(double m2) { return m2 < 0.0 ? 0.0 : m2; }

}  // namespace ni_screen
}  // namespace
