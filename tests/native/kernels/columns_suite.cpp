// columns_backward_reduce: over rows with constants of their own, adds dy and dy * ((x - center) * scale + offset).
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernel_suite.h"

namespace ni::test {
namespace {

template <class E>
struct Columns {
    using Constant = typename E::Constant;

    struct Constants {
        explicit Constants(const KernelCase& piece)
            : center(constants<E>(piece, 0, offset_of(piece), 0.1)),
              scale(constants<E>(piece, 1)),
              offset(constants<E>(piece, 2, 0, 0.1)) {}
        Guarded<Constant> center, scale, offset;
    };

    /// The sums that are there before the call.
    static std::vector<double> before(const KernelCase& piece, uint64_t kind) {
        return normal_values(room_for(piece.length), piece.seed() + kind, 0, 10);
    }

    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        const auto x = input_buffer<E>(piece, 0, piece.flush, piece.gap), dy = input_buffer<E>(piece, 1, piece.flush);
        const Constants k(piece);
        Guarded<double> sum(before(piece, 21)), product(before(piece, 22));
        kernels.columns_backward_reduce(dy.data(), x.data(), piece.as_rows(),
                                        {k.center.data(), k.scale.data(), k.offset.data()}, sum.data(), product.data());
        EXPECT_TRUE(sum.surroundings_untouched());
        EXPECT_TRUE(product.surroundings_untouched());
        return {{},
                std::vector<double>(sum.data(), sum.data() + piece.length),
                std::vector<double>(product.data(), product.data() + piece.length)};
    }

    static void check(const KernelCase& piece, const Outcome& outcome) {
        const std::vector<double> x = values<E>(inputs<E>(piece, 0)), dy = values<E>(inputs<E>(piece, 1));
        const std::vector<double> sums = before(piece, 21), products = before(piece, 22);
        const Constants k(piece);
        const int64_t roundings = additions<E>(piece) + 3;
        for (int64_t c = 0; c < piece.length; ++c) {
            // The sums that were there are doubles, and stay as exact.
            Sum sum{static_cast<long double>(sums[c]), std::abs(static_cast<long double>(sums[c])) * 0x1p-29L};
            Sum product{static_cast<long double>(products[c]),
                        std::abs(static_cast<long double>(products[c])) * 0x1p-29L};
            for (int64_t r = 0; r < piece.count; ++r) {
                const auto g = static_cast<long double>(dy[r * piece.length + c]);
                const auto value = static_cast<long double>(x[r * piece.length + c]);
                const auto center = static_cast<long double>(k.center[r]), scale = static_cast<long double>(k.scale[r]);
                const long double scaled = (value - center) * scale;
                const long double normalized = scaled + static_cast<long double>(k.offset[r]);
                sum.add(g);
                product.add(g * normalized, std::abs(g) * (std::abs(scaled) + std::abs(normalized)));
            }
            if (!sums_in_float<E>(piece)) {
                sum.magnitude += std::abs(static_cast<long double>(sums[c]));
                product.magnitude += std::abs(static_cast<long double>(products[c]));
            }
            EXPECT_TRUE(is_sum(outcome.first[c], sum, sums_in_float<E>(piece), roundings, piece.count))
                << "sum " << c << " is " << outcome.first[c] << ", expected " << sum.value;
            EXPECT_TRUE(is_sum(outcome.second[c], product, sums_in_float<E>(piece), roundings, piece.count))
                << "sum " << c << " of products is " << outcome.second[c] << ", expected " << product.value;
        }
    }
};

}  // namespace

SuiteList columns_suites() { return {suites_of<Columns>("columns_backward_reduce", Form::kColumns, false)}; }

}  // namespace ni::test
