// planes_backward_reduce and rows_backward_reduce: sum(dy) and sum(dy * (x - center)); affine_backward_reduce: the same
// with dy * weight[i] for dy.
#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

#include "kernels/kernel_suite.h"

namespace ni::test {
namespace {

/// Close to the mean, as the callers' are.
template <class E>
Guarded<typename E::Constant> centers(const KernelCase& piece) {
    return constants<E>(piece, 17, offset_of(piece), 0.1);
}

template <class E, class Call>
Outcome sums_of_run(const KernelCase& piece, Call call) {
    const auto x = input_buffer<E>(piece, 0, piece.flush, piece.gap), dy = input_buffer<E>(piece, 1, piece.flush);
    Guarded<GradientSums> out(1);
    call(dy.data(), x.data(), centers<E>(piece)[0], out.data());
    EXPECT_TRUE(out.surroundings_untouched());
    return {{}, {out[0].dy}, {out[0].dy_xmu}};
}

template <class E>
void check_gradient_sums(const KernelCase& piece, const Outcome& outcome, const typename E::Parameter* weight) {
    const std::vector<double> x = values<E>(inputs<E>(piece, 0)), dy = values<E>(inputs<E>(piece, 1));
    const auto center = centers<E>(piece);
    // Of binary16, everything is taken in double.
    const bool in_float = sums_in_float<E>(piece) && !std::is_same_v<E, Float16>;
    const int64_t roundings = additions<E>(piece) + 3, terms = piece.elements() / piece.sums();
    for (int64_t c = 0; c < piece.sums(); ++c) {
        Sum sum, product;
        for (int64_t i = c; i < piece.elements(); i += piece.sums()) {
            const long double gamma = weight != nullptr ? static_cast<long double>(weight[i]) : 1;
            const long double g = static_cast<long double>(dy[i]) * gamma;
            sum.add(g);
            product.add(g * (static_cast<long double>(x[i]) - static_cast<long double>(center[c])));
        }
        EXPECT_TRUE(is_sum(outcome.first[c], sum, in_float, roundings, terms))
            << "sum " << c << " is " << outcome.first[c] << ", expected " << sum.value;
        EXPECT_TRUE(is_sum(outcome.second[c], product, in_float, roundings, terms))
            << "sum " << c << " of products is " << outcome.second[c] << ", expected " << product.value;
    }
}

template <class E>
struct PlanesBackwardReduce {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return sums_of_run<E>(piece, [&](const auto* dy, const auto* x, auto center, GradientSums* out) {
            kernels.planes_backward_reduce(dy, x, piece.planes(), center, out);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        check_gradient_sums<E>(piece, outcome, nullptr);
    }
};

template <class E>
struct RowsBackwardReduce {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        const auto x = input_buffer<E>(piece, 0, piece.flush, piece.gap), dy = input_buffer<E>(piece, 1, piece.flush);
        const auto center = centers<E>(piece);
        Guarded<double> sum(room_for(piece.length)), product(room_for(piece.length));
        kernels.rows_backward_reduce(dy.data(), x.data(), piece.as_rows(), center.data(), sum.data(), product.data());
        EXPECT_TRUE(sum.surroundings_untouched());
        EXPECT_TRUE(product.surroundings_untouched());
        return {{},
                std::vector<double>(sum.data(), sum.data() + piece.length),
                std::vector<double>(product.data(), product.data() + piece.length)};
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        check_gradient_sums<E>(piece, outcome, nullptr);
    }
};

template <class E>
struct AffineBackwardReduce {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        const auto weight = parameters<E>(piece, 0);
        return sums_of_run<E>(piece, [&](const auto* dy, const auto* x, auto center, GradientSums* out) {
            kernels.affine_backward_reduce(dy, x, {1, piece.length, piece.length}, center, weight.data(), out);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        check_gradient_sums<E>(piece, outcome, parameters<E>(piece, 0).data());
    }
};

}  // namespace

SuiteList backward_reduce_suites() {
    return {suites_of<PlanesBackwardReduce>("planes_backward_reduce", Form::kPlanes, false),
            suites_of<RowsBackwardReduce>("rows_backward_reduce", Form::kRows, false),
            suites_of<AffineBackwardReduce>("affine_backward_reduce", Form::kRun, false)};
}

}  // namespace ni::test
