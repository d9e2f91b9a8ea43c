// What the tests of the kernels that write data share.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/kernel_suite.h"

namespace ni::test {

/// Constants of one kind for every channel of a case, standard normal plus an offset, times a scale.
inline std::vector<float> constants(const KernelCase& piece, uint64_t kind, double offset = 0, double scale = 1) {
    return normals(piece.channels(), piece.seed() + 100 + kind, offset, scale);
}

/// The mean of the data, nearly.
inline double offset_of(const KernelCase& piece) { return piece.fill == Fill::kOffset ? 1e5 : 0.0; }

/// The output buffer of a case, whose inputs are in place if the case says so, and what is checked about it.
class OutputBuffer {
public:
    OutputBuffer(const KernelCase& piece, const std::vector<float>& first, const std::vector<float>* second)
        : piece_(piece),
          output_(piece.in_place                         ? strided(piece, first, piece.flush, piece.gap)
                  : piece.in_second && second != nullptr ? strided(piece, *second, piece.flush, piece.gap)
                                                         : Guarded<float>(piece.extent(), piece.flush, piece.gap)),
          before_(output_.copy()) {}

    float* data() { return output_.data(); }

    Outcome outcome() const {
        EXPECT_TRUE(gaps_untouched(piece_, output_.data(), before_));
        EXPECT_TRUE(output_.surroundings_untouched());
        return {gathered(piece_, output_.data()), {}, {}};
    }

private:
    const KernelCase& piece_;
    Guarded<float> output_;
    std::vector<float> before_;
};

/// Compares one element. `magnitude` is the sum of the magnitudes of all terms, `roundings` how many there are.
inline bool close_enough(float got, long double exact, long double magnitude, int roundings) {
    const auto largest = static_cast<long double>(std::numeric_limits<float>::max());
    if (std::isnan(exact)) return std::isnan(got);
    if (std::isinf(exact)) return static_cast<long double>(got) == exact;
    const long double bound = roundings * (kRoundoff * magnitude + std::numeric_limits<float>::denorm_min());
    if (std::isinf(got)) return std::abs(exact) + bound >= largest && (got > 0) == (exact > 0);
    return std::abs(static_cast<long double>(got) - exact) <= bound;
}

}  // namespace ni::test
