// planes_apply and rows_apply: y = (x - center) * scale + offset; affine_apply: that * weight[i] + bias[i].
#include "kernels/elementwise.h"

namespace ni::test {
namespace {

template <class E>
struct Constants {
    explicit Constants(const KernelCase& piece)
        : center(constants<E>(piece, 0, offset_of(piece), 0.1)),
          // Normalized values are far from the largest number.
          scale(constants<E>(piece, 1, 0, piece.fill == Fill::kLargest ? 0.1 : 1)),
          offset(constants<E>(piece, 2)) {}
    ApplyConstants<typename E::Constant> first() const { return {center[0], scale[0], offset[0]}; }
    ApplyArrays<typename E::Constant> arrays() const { return {center.data(), scale.data(), offset.data()}; }

    /// (x - center) * scale + offset, with a magnitude for the roundings of each operation.
    Sum of(long double x, int64_t c) const {
        const long double product = (x - wide(center[c])) * wide(scale[c]), exact = product + wide(offset[c]);
        return {exact, 2 * std::abs(product) + std::abs(exact)};
    }

    Guarded<typename E::Constant> center, scale, offset;
};

template <class E, class Call>
Outcome run_on(const KernelCase& piece, Call call) {
    OutputBuffer<E> y(piece, 1);
    const auto x = input_buffer<E>(piece, 0, Flush::kEnd);
    call(piece.in_place ? y.data() : x.data(), Constants<E>(piece), y.data());
    return y.outcome();
}

template <class E>
struct Apply {
    static void check(const KernelCase& piece, const Outcome& outcome) {
        const std::vector<double> x = values<E>(inputs<E>(piece, 0));
        const Constants<E> k(piece);
        check_elements<E>(piece, outcome, [&](int64_t i, int64_t c) { return k.of(wide(x[i]), c); });
    }
};

template <class E>
struct PlanesApply : Apply<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_on<E>(piece, [&](const auto* x, const Constants<E>& k, auto* y) {
            kernels.planes_apply(x, piece.planes(), k.first(), piece.store, y);
        });
    }
};

template <class E>
struct RowsApply : Apply<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_on<E>(piece, [&](const auto* x, const Constants<E>& k, auto* y) {
            kernels.rows_apply(x, piece.as_rows(), k.arrays(), piece.store, y);
        });
    }
};

template <class E>
struct AffineApply {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        const auto weight = parameters<E>(piece, 0), bias = parameters<E>(piece, 1);
        return run_on<E>(piece, [&](const auto* x, const Constants<E>& k, auto* y) {
            kernels.affine_apply(
                x, piece.as_rows(), k.arrays(),
                {piece.absent == 1 ? nullptr : weight.data(), piece.absent == 2 ? nullptr : bias.data()}, piece.store,
                y);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        const std::vector<double> x = values<E>(inputs<E>(piece, 0));
        const Constants<E> k(piece);
        const auto weight = parameters<E>(piece, 0), bias = parameters<E>(piece, 1);
        check_elements<E>(piece, outcome, [&](int64_t i, int64_t c) -> Sum {
            const Sum normalized = k.of(wide(x[i]), c);
            const long double gamma = piece.absent == 1 ? 1 : wide(weight[i % piece.length]);
            const long double beta = wide(bias[i % piece.length]);
            const long double product = normalized.value * gamma, exact = piece.absent == 2 ? product : product + beta;
            return {exact, normalized.magnitude * std::abs(gamma) + std::abs(product) + std::abs(exact)};
        });
    }
};

}  // namespace

SuiteList apply_suites() {
    return {suites_of<PlanesApply>("planes_apply", Form::kPlanes, true),
            suites_of<RowsApply>("rows_apply", Form::kRows, true),
            suites_of<AffineApply>("affine_apply", Form::kColumns, true)};
}

}  // namespace ni::test
