// planes_moments and rows_moments: mean and sum of squared deviations; planes_squares: 0 and sum of squares.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernel_suite.h"

namespace ni::test {
namespace {

struct Exact {
    long double mean, m2, largest;
    int64_t count;
};

/// Of a channel, around its mean or around 0.
Exact exact_moments(const KernelCase& piece, const std::vector<double>& x, int64_t channel, bool centered) {
    Exact exact{0, 0, 0, piece.elements() / piece.sums()};
    for (int64_t i = channel; i < piece.elements(); i += piece.sums()) {
        exact.mean += static_cast<long double>(x[i]);
        exact.largest = std::max(exact.largest, std::abs(static_cast<long double>(x[i])));
    }
    exact.mean = centered ? exact.mean / static_cast<long double>(exact.count) : 0;
    for (int64_t i = channel; i < piece.elements(); i += piece.sums()) {
        exact.m2 += (static_cast<long double>(x[i]) - exact.mean) * (static_cast<long double>(x[i]) - exact.mean);
    }
    return exact;
}

/// Of `m2`: squares of a double that is small enough are 0.
long double tiny(int64_t count) { return static_cast<long double>(count) * std::numeric_limits<double>::denorm_min(); }

template <class E, class Kernel>
Outcome moments_of_planes(Kernel kernel, const KernelCase& piece) {
    const auto x = input_buffer<E>(piece, 0, piece.flush, piece.gap);
    Guarded<Moments> out(1);
    kernel(x.data(), piece.planes(), out.data());
    EXPECT_TRUE(out.surroundings_untouched());
    return {{}, {out[0].mean}, {out[0].m2}};
}

template <class E>
struct MomentsOfType {
    static void check(const KernelCase& piece, const Outcome& outcome) {
        const std::vector<double> x = values<E>(inputs<E>(piece, 0));
        for (int64_t c = 0; c < piece.sums(); ++c) {
            SCOPED_TRACE(testing::Message() << "channel " << c);
            const Exact exact = exact_moments(piece, x, c, true);
            const double mean = outcome.first[c], m2 = outcome.second[c];
            if (!std::isfinite(exact.mean)) {
                EXPECT_TRUE(std::isnan(exact.mean) ? std::isnan(mean) : std::isinf(mean));
                EXPECT_TRUE(std::isnan(m2));
            } else if (piece.fill == Fill::kConstant || exact.count == 1) {
                EXPECT_EQ(mean, x[c]);
                EXPECT_EQ(m2, 0.0);
            } else {
                check_finite(piece, exact, mean, m2);
            }
        }
    }

    static void check_finite(const KernelCase& piece, const Exact& exact, double mean, double m2) {
        const long double deviation = std::sqrt(exact.m2 / static_cast<long double>(exact.count));
        // The screen of the fast pass bounds the shift, and with it sums, by twice the deviation. Roundings of
        // different sign cancel, so that the sum of those to float grows like the root of their number.
        const auto n = static_cast<long double>(additions<E>(piece));
        const bool in_float = sums_in_float<E>(piece);
        const long double part = 4 * (in_float ? std::sqrt(n) : n) * roundoff(in_float);
        const long double of_mean = part * deviation + 1e-15L * exact.largest + tiny(4);
        EXPECT_TRUE(is_result<Float64>(mean, exact.mean, of_mean)) << mean << ", expected " << exact.mean;
        EXPECT_TRUE(is_result<Float64>(m2, exact.m2, 4 * part * exact.m2 + tiny(exact.count)))
            << m2 << ", expected " << exact.m2;
    }
};

template <class E>
struct PlanesMoments : MomentsOfType<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return moments_of_planes<E>(kernels.planes_moments, piece);
    }
};

template <class E>
struct PlanesSquares {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return moments_of_planes<E>(kernels.planes_squares, piece);
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        const Exact exact = exact_moments(piece, values<E>(inputs<E>(piece, 0)), 0, false);
        const auto n = static_cast<long double>(additions<E>(piece));
        const bool once = exact.largest < 1e-15L || exact.largest > 1e15L;  // element by element, in double
        const bool in_float = sums_in_float<E>(piece);
        const long double part = once && !in_float ? static_cast<long double>(exact.count) * roundoff(false)
                                                   : 4 * std::sqrt(n) * roundoff(in_float);
        EXPECT_EQ(outcome.first[0], 0.0);
        EXPECT_TRUE(is_result<Float64>(outcome.second[0], exact.m2, part * exact.m2 + tiny(exact.count)))
            << outcome.second[0] << ", expected " << exact.m2;
    }
};

template <class E>
struct RowsMoments : MomentsOfType<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        const auto x = input_buffer<E>(piece, 0, piece.flush, piece.gap);
        Guarded<double> mean(room_for(piece.length)), m2(room_for(piece.length));
        kernels.rows_moments(x.data(), piece.as_rows(), mean.data(), m2.data());
        EXPECT_TRUE(mean.surroundings_untouched());
        EXPECT_TRUE(m2.surroundings_untouched());
        return {{},
                std::vector<double>(mean.data(), mean.data() + piece.length),
                std::vector<double>(m2.data(), m2.data() + piece.length)};
    }
};

}  // namespace

SuiteList moments_suites() {
    return {suites_of<PlanesMoments>("planes_moments", Form::kPlanes, false),
            suites_of<PlanesSquares>("planes_squares", Form::kPlanes, false),
            suites_of<RowsMoments>("rows_moments", Form::kRows, false)};
}

}  // namespace ni::test
