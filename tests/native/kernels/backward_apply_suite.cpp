// planes_backward_apply and rows_backward_apply: dx = dy * scale + ((x - center) * invstd * slope + offset);
// affine_backward_apply: the same with dy * weight[i] for dy.
#include "kernels/elementwise.h"

namespace ni::test {
namespace {

template <class E>
struct Constants {
    explicit Constants(const KernelCase& piece)
        : center(constants<E>(piece, 0, offset_of(piece), 0.1)),
          invstd(constants<E>(piece, 4, 1, 0.1)),
          // Where no product but the last one leaves the type's range, the result is right.
          scale(constants<E>(piece, 1, 0, piece.fill == Fill::kLargest ? 0.1 : 1)),
          slope(constants<E>(piece, 2, 0, 1e-3)),
          offset(constants<E>(piece, 3)) {}
    BackwardConstants<typename E::Constant> first() const {
        return {center[0], invstd[0], scale[0], slope[0], offset[0]};
    }
    BackwardArrays<typename E::Constant> arrays() const {
        return {center.data(), invstd.data(), scale.data(), slope.data(), offset.data()};
    }
    Guarded<typename E::Constant> center, invstd, scale, slope, offset;
};

template <class E, class Call>
Outcome run_on(const KernelCase& piece, Call call) {
    OutputBuffer<E> dx(piece, 2);
    const auto dy = input_buffer<E>(piece, 1, Flush::kEnd), x = input_buffer<E>(piece, 0, Flush::kEnd, piece.gap);
    call(piece.in_second ? dx.data() : dy.data(), piece.in_place ? dx.data() : x.data(), Constants<E>(piece),
         dx.data());
    return dx.outcome();
}

/// `weight_of` is null where there are no weights.
template <class E>
void check_gradients(const KernelCase& piece, const Outcome& outcome, const typename E::Parameter* weight) {
    const std::vector<double> x = values<E>(inputs<E>(piece, 0)), dy = values<E>(inputs<E>(piece, 1));
    const Constants<E> k(piece);
    check_elements<E>(piece, outcome, [&](int64_t i, int64_t c) -> Sum {
        const long double normalized = (wide(x[i]) - wide(k.center[c])) * wide(k.invstd[c]);
        const long double product = normalized * wide(k.slope[c]), affine = product + wide(k.offset[c]);
        const long double gradient = wide(dy[i]) * (weight != nullptr ? wide(weight[i]) : 1) * wide(k.scale[c]);
        const long double exact = gradient + affine;
        return {exact, 3 * std::abs(product) + 2 * std::abs(gradient) + std::abs(affine) + std::abs(exact)};
    });
}

template <class E>
struct BackwardApply {
    static void check(const KernelCase& piece, const Outcome& outcome) { check_gradients<E>(piece, outcome, nullptr); }
};

template <class E>
struct PlanesBackwardApply : BackwardApply<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_on<E>(piece, [&](const auto* dy, const auto* x, const Constants<E>& k, auto* dx) {
            kernels.planes_backward_apply(dy, x, piece.planes(), k.first(), piece.store, dx);
        });
    }
};

template <class E>
struct RowsBackwardApply : BackwardApply<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_on<E>(piece, [&](const auto* dy, const auto* x, const Constants<E>& k, auto* dx) {
            kernels.rows_backward_apply(dy, x, piece.as_rows(), k.arrays(), piece.store, dx);
        });
    }
};

template <class E>
struct AffineBackwardApply {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        const auto weight = parameters<E>(piece, 0);
        return run_on<E>(piece, [&](const auto* dy, const auto* x, const Constants<E>& k, auto* dx) {
            kernels.affine_backward_apply(dy, x, piece.length, k.first(), weight.data(), piece.store, dx);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        check_gradients<E>(piece, outcome, parameters<E>(piece, 0).data());
    }
};

}  // namespace

SuiteList backward_apply_suites() {
    return {suites_of<PlanesBackwardApply>("planes_backward_apply", Form::kPlanes, true),
            suites_of<RowsBackwardApply>("rows_backward_apply", Form::kRows, true),
            suites_of<AffineBackwardApply>("affine_backward_apply", Form::kRun, true)};
}

}  // namespace ni::test
