// planes_moments and rows_moments: mean and sum of squared deviations.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernel_suite.h"

namespace ni::test {
namespace {

Outcome run_planes(const KernelTable& kernels, const KernelCase& piece) {
    Guarded<float> x = strided(piece, inputs(piece, 0), piece.flush, piece.gap);
    x.make_read_only();
    Guarded<Moments> out(1);
    kernels.planes_moments(x.data(), piece.planes(), out.data());
    EXPECT_TRUE(out.surroundings_untouched());
    return {{}, {out[0].mean}, {out[0].m2}};
}

Outcome run_rows(const KernelTable& kernels, const KernelCase& piece) {
    Guarded<float> x = strided(piece, inputs(piece, 0), piece.flush, piece.gap);
    x.make_read_only();
    Guarded<double> mean(room_for(piece.length)), m2(room_for(piece.length));
    kernels.rows_moments(x.data(), piece.as_rows(), mean.data(), m2.data());
    EXPECT_TRUE(mean.surroundings_untouched());
    EXPECT_TRUE(m2.surroundings_untouched());
    return {{},
            std::vector<double>(mean.data(), mean.data() + piece.length),
            std::vector<double>(m2.data(), m2.data() + piece.length)};
}

struct Exact {
    long double mean, m2, largest;
    int64_t count;
};

Exact exact_moments(const KernelCase& piece, const std::vector<float>& x, int64_t channel) {
    Exact exact{0, 0, 0, piece.elements() / piece.channels()};
    for (int64_t i = channel; i < piece.elements(); i += piece.channels()) {
        exact.mean += static_cast<long double>(x[i]);
        exact.largest = std::max(exact.largest, std::abs(static_cast<long double>(x[i])));
    }
    exact.mean /= static_cast<long double>(exact.count);
    for (int64_t i = channel; i < piece.elements(); i += piece.channels()) {
        exact.m2 += (static_cast<long double>(x[i]) - exact.mean) * (static_cast<long double>(x[i]) - exact.mean);
    }
    return exact;
}

void check(const KernelCase& piece, const Outcome& outcome) {
    const std::vector<float> x = inputs(piece, 0);
    for (int64_t c = 0; c < piece.channels(); ++c) {
        const Exact exact = exact_moments(piece, x, c);
        const double mean = outcome.first[c], m2 = outcome.second[c];
        if (!std::isfinite(exact.mean)) {
            EXPECT_TRUE(std::isnan(exact.mean) ? std::isnan(mean) : std::isinf(mean)) << "channel " << c;
            EXPECT_TRUE(std::isnan(m2)) << "channel " << c;
            continue;
        }
        if (piece.fill == Fill::kConstant || exact.count == 1) {
            EXPECT_EQ(mean, static_cast<double>(exact.mean)) << "channel " << c;
            EXPECT_EQ(m2, 0.0) << "channel " << c;
            continue;
        }
        const long double deviation = std::sqrt(exact.m2 / static_cast<long double>(exact.count));
        const auto n = static_cast<long double>(additions(piece));
        // The screen of the fast pass bounds the shift, and with it sums, by twice the deviation. Roundings of
        // different sign cancel, so that their sum grows like the root of their number.
        const long double part = 4 * std::sqrt(n) * kRoundoff;
        EXPECT_NEAR(mean, static_cast<double>(exact.mean),
                    static_cast<double>(part * deviation + 1e-15L * exact.largest))
            << "channel " << c;
        EXPECT_NEAR(m2, static_cast<double>(exact.m2), static_cast<double>(4 * part * exact.m2)) << "channel " << c;
    }
}

}  // namespace

const KernelSuite kPlanesMoments = {"planes_moments", false, false, &run_planes, &check};
const KernelSuite kRowsMoments = {"rows_moments", true, false, &run_rows, &check};

}  // namespace ni::test
