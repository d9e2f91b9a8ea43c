// planes_backward_reduce and rows_backward_reduce: sum(dy) and sum(dy * (x - center)).
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernel_suite.h"

namespace ni::test {
namespace {

/// Centers by channel, close to the mean as the callers' are.
std::vector<float> centers(const KernelCase& piece) {
    const bool offset = piece.fill == Fill::kOffset;
    return normals(piece.channels(), piece.seed() + 17, offset ? 1e5 : 0.0, 0.1);
}

Outcome run_planes(const KernelTable& kernels, const KernelCase& piece) {
    Guarded<float> x = strided(piece, inputs(piece, 0), piece.flush, piece.gap);
    Guarded<float> dy = strided(piece, inputs(piece, 1), piece.flush);
    x.make_read_only();
    dy.make_read_only();
    Guarded<GradientSums> out(1);
    kernels.planes_backward_reduce(dy.data(), x.data(), piece.planes(), centers(piece)[0], out.data());
    EXPECT_TRUE(out.surroundings_untouched());
    return {{}, {out[0].dy}, {out[0].dy_xmu}};
}

Outcome run_rows(const KernelTable& kernels, const KernelCase& piece) {
    Guarded<float> x = strided(piece, inputs(piece, 0), piece.flush, piece.gap);
    Guarded<float> dy = strided(piece, inputs(piece, 1), piece.flush), center(centers(piece));
    x.make_read_only();
    dy.make_read_only();
    center.make_read_only();
    Guarded<double> sum(room_for(piece.length)), product(room_for(piece.length));
    kernels.rows_backward_reduce(dy.data(), x.data(), piece.as_rows(), center.data(), sum.data(), product.data());
    EXPECT_TRUE(sum.surroundings_untouched());
    EXPECT_TRUE(product.surroundings_untouched());
    return {{},
            std::vector<double>(sum.data(), sum.data() + piece.length),
            std::vector<double>(product.data(), product.data() + piece.length)};
}

/// A sum, and the sum of its terms' magnitudes, which bounds the error.
struct Sum {
    long double value = 0, magnitude = 0;
    void add(long double term) {
        value += term;
        magnitude += std::abs(term);
    }
};

void check_sum(double got, const Sum& exact, int64_t roundings, int64_t terms) {
    if (!std::isfinite(exact.value)) {
        EXPECT_TRUE(std::isnan(exact.value) ? std::isnan(got) : got == static_cast<double>(exact.value)) << got;
        return;
    }
    const long double tiny = std::numeric_limits<float>::denorm_min() * static_cast<long double>(terms);
    const long double bound = static_cast<long double>(roundings) * kRoundoff * exact.magnitude + tiny;
    EXPECT_NEAR(got, static_cast<double>(exact.value), static_cast<double>(bound));
}

void check(const KernelCase& piece, const Outcome& outcome) {
    const std::vector<float> x = inputs(piece, 0), dy = inputs(piece, 1), center = centers(piece);
    for (int64_t c = 0; c < piece.channels(); ++c) {
        Sum sum, product;
        for (int64_t i = c; i < piece.elements(); i += piece.channels()) {
            const auto g = static_cast<long double>(dy[i]);
            sum.add(g);
            product.add(g * (static_cast<long double>(x[i]) - static_cast<long double>(center[c])));
        }
        const int64_t roundings = additions(piece) + 1;
        SCOPED_TRACE(testing::Message() << "channel " << c);
        check_sum(outcome.first[c], sum, roundings, piece.elements());
        check_sum(outcome.second[c], product, roundings, piece.elements());
    }
}

}  // namespace

const KernelSuite kPlanesBackwardReduce = {"planes_backward_reduce", false, false, &run_planes, &check};
const KernelSuite kRowsBackwardReduce = {"rows_backward_reduce", true, false, &run_rows, &check};

}  // namespace ni::test
