// The gated kernels: what the plain ones give of g, the gradient of the activation as a pass of its own, to the bit.
#include "activation/suite_pieces.h"
#include "support/bits.h"

namespace ni::test {
namespace {

/// The constants of a backward pass, which have z's center.
template <class E>
struct BackwardConstantsOf : ZConstantsOf<E> {
    explicit BackwardConstantsOf(const KernelCase& piece)
        : ZConstantsOf<E>(piece),
          invstd(constants<E>(piece, 4, 1, 0.1)),
          factor(constants<E>(piece, 5, 0, piece.fill == Fill::kLargest ? 0.1 : 1)),
          slope(constants<E>(piece, 6, 0, 1e-3)),
          term(constants<E>(piece, 7)) {}
    BackwardConstants<typename E::Constant> backward() const {
        return {this->center[0], invstd[0], factor[0], slope[0], term[0]};
    }
    BackwardArrays<typename E::Constant> backward_arrays() const {
        return {this->center.data(), invstd.data(), factor.data(), slope.data(), term.data()};
    }

    Guarded<typename E::Constant> invstd, factor, slope, term;
};

/// call(dy, x, constants, mask, activation, dx, g) for the kinds of the case: all dx, and all g of those with a mask.
template <class E, class Call>
Outcome run_all(const KernelCase& piece, Call call) {
    Outcome all;
    const BackwardConstantsOf<E> k(piece);
    KernelCase beside = piece;
    beside.in_place = beside.in_second = false;
    for (const Kind& kind : backward_kinds(piece)) {
        OutputBuffer<E> dx(piece, 2), g(beside, 0);
        const auto dy = input_buffer<E>(piece, 1, Flush::kEnd), x = input_buffer<E>(piece, 0, Flush::kEnd, piece.gap);
        MaskOfCase mask(piece);
        const auto bits = kind.mask ? mask.to_read(random_bits(piece)) : Mask<const uint8_t>{nullptr, 0};
        call(piece.in_second ? dx.data() : dy.data(), piece.in_place ? dx.data() : x.data(), k, bits, kind.activation,
             dx.data(), Beside<typename E::Data>{kind.mask ? g.data() : nullptr, piece.store});
        append(all.data, dx.outcome().data);
        if (kind.mask) append(all.data, g.outcome().data);
    }
    return all;
}

/// plain(g, x, constants, dx) on runs without gaps, beside what came out.
template <class E, class Plain>
void check_all(const KernelCase& piece, const Outcome& outcome, Plain plain) {
    std::vector<double> expected;
    const BackwardConstantsOf<E> k(piece);
    const std::vector<typename E::Data> x = inputs<E>(piece, 0);
    for (const Kind& kind : backward_kinds(piece)) {
        const std::vector<typename E::Data> g = stored_gradient<E>(piece, kind);
        std::vector<typename E::Data> dx(x.size());
        plain(g.data(), x.data(), k, dx.data());
        append(expected, values<E>(dx));
        if (kind.mask) append(expected, values<E>(g));
    }
    EXPECT_TRUE(same_bits(outcome.data, expected));
}

Planes dense_planes(const KernelCase& piece) { return {piece.count, piece.length, piece.length}; }
Rows dense_rows(const KernelCase& piece) { return {piece.count, piece.length, piece.length}; }

template <class E>
struct PlanesGatedApply {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_all<E>(piece, [&](const auto* dy, const auto* x, const BackwardConstantsOf<E>& k, const auto& mask,
                                     Activation activation, auto* dx, const auto& g) {
            kernels.planes_gated_apply(dy, x, mask, piece.planes(), k.first(), activation, k.backward(), piece.store,
                                       dx, g);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        check_all<E>(piece, outcome, [&](const auto* g, const auto* x, const BackwardConstantsOf<E>& k, auto* dx) {
            kScalarKernels.of(E()).planes_backward_apply(g, x, dense_planes(piece), k.backward(), Store::kCached, dx);
        });
    }
};

template <class E>
struct RowsGatedApply {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_all<E>(piece, [&](const auto* dy, const auto* x, const BackwardConstantsOf<E>& k, const auto& mask,
                                     Activation activation, auto* dx, const auto& g) {
            kernels.rows_gated_apply(dy, x, mask, piece.as_rows(), k.arrays(), activation, k.backward_arrays(),
                                     piece.store, dx, g);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        check_all<E>(piece, outcome, [&](const auto* g, const auto* x, const BackwardConstantsOf<E>& k, auto* dx) {
            kScalarKernels.of(E()).rows_backward_apply(g, x, dense_rows(piece), k.backward_arrays(), Store::kCached,
                                                       dx);
        });
    }
};

/// g * factor is what the plain kernels make of g with these constants.
template <class E>
struct PlanesGatedScale {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_all<E>(piece, [&](const auto* dy, const auto* x, const BackwardConstantsOf<E>& k, const auto& mask,
                                     Activation activation, auto* dx, const auto& g) {
            kernels.planes_gated_scale(dy, mask.bytes != nullptr ? nullptr : x, mask, piece.planes(), k.first(),
                                       activation, k.factor[0], piece.store, dx, g);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        using Constant = typename E::Constant;
        check_all<E>(piece, outcome, [&](const auto* g, const auto*, const BackwardConstantsOf<E>& k, auto* dx) {
            kScalarKernels.of(E()).planes_apply(g, dense_planes(piece), {Constant(0), k.factor[0], -Constant(0)},
                                                Store::kCached, dx);
        });
    }
};

template <class E>
struct RowsGatedScale {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return run_all<E>(piece, [&](const auto* dy, const auto* x, const BackwardConstantsOf<E>& k, const auto& mask,
                                     Activation activation, auto* dx, const auto& g) {
            kernels.rows_gated_scale(dy, mask.bytes != nullptr ? nullptr : x, mask, piece.as_rows(), k.arrays(),
                                     activation, k.factor.data(), piece.store, dx, g);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        using Constant = typename E::Constant;
        const std::vector<Constant> zero(static_cast<size_t>(piece.length)), minus_zero(zero.size(), -Constant(0));
        check_all<E>(piece, outcome, [&](const auto* g, const auto*, const BackwardConstantsOf<E>& k, auto* dx) {
            kScalarKernels.of(E()).rows_apply(g, dense_rows(piece), {zero.data(), k.factor.data(), minus_zero.data()},
                                              Store::kCached, dx);
        });
    }
};

/// call(dy, x, constants, mask, activation, sums) for the kinds of the case.
template <class E, class Call>
Outcome reduce_all(const KernelCase& piece, Call call) {
    Outcome all;
    const ZConstantsOf<E> k(piece);
    for (const Kind& kind : backward_kinds(piece)) {
        const auto dy = input_buffer<E>(piece, 1, piece.flush, piece.gap);
        const auto x = input_buffer<E>(piece, 0, piece.flush, piece.gap);
        MaskOfCase mask(piece);
        const auto bits = kind.mask ? mask.to_read(random_bits(piece)) : Mask<const uint8_t>{nullptr, 0};
        call(dy.data(), x.data(), k, bits, kind.activation, all);
    }
    return all;
}

void append_sums(Outcome& to, const std::vector<double>& dy, const std::vector<double>& dy_xmu, int64_t count) {
    to.first.insert(to.first.end(), dy.begin(), dy.begin() + count);
    to.second.insert(to.second.end(), dy_xmu.begin(), dy_xmu.begin() + count);
}

template <class E>
struct PlanesGatedReduce {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return reduce_all<E>(piece, [&](const auto* dy, const auto* x, const ZConstantsOf<E>& k, const auto& mask,
                                        Activation activation, Outcome& to) {
            GradientSums sums{};
            kernels.planes_gated_reduce(dy, x, mask, piece.planes(), k.first(), activation, &sums);
            append_sums(to, {sums.dy}, {sums.dy_xmu}, 1);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        Outcome expected;
        const std::vector<typename E::Data> x = inputs<E>(piece, 0);
        for (const Kind& kind : backward_kinds(piece)) {
            GradientSums sums{};
            kScalarKernels.of(E()).planes_backward_reduce(stored_gradient<E>(piece, kind).data(), x.data(),
                                                          dense_planes(piece), ZConstantsOf<E>(piece).center[0], &sums);
            append_sums(expected, {sums.dy}, {sums.dy_xmu}, 1);
        }
        EXPECT_TRUE(same_bits(outcome.first, expected.first));
        EXPECT_TRUE(same_bits(outcome.second, expected.second));
    }
};

template <class E>
struct RowsGatedReduce {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return reduce_all<E>(piece, [&](const auto* dy, const auto* x, const ZConstantsOf<E>& k, const auto& mask,
                                        Activation activation, Outcome& to) {
            Guarded<double> sum_dy(room_for(piece.length)), sum_dy_xmu(room_for(piece.length));
            kernels.rows_gated_reduce(dy, x, mask, piece.as_rows(), k.arrays(), activation, sum_dy.data(),
                                      sum_dy_xmu.data());
            append_sums(to, sum_dy.copy(), sum_dy_xmu.copy(), piece.length);
        });
    }
    static void check(const KernelCase& piece, const Outcome& outcome) {
        Outcome expected;
        const std::vector<typename E::Data> x = inputs<E>(piece, 0);
        for (const Kind& kind : backward_kinds(piece)) {
            std::vector<double> sum_dy(static_cast<size_t>(room_for(piece.length))), sum_dy_xmu(sum_dy.size());
            kScalarKernels.of(E()).rows_backward_reduce(stored_gradient<E>(piece, kind).data(), x.data(),
                                                        dense_rows(piece), ZConstantsOf<E>(piece).center.data(),
                                                        sum_dy.data(), sum_dy_xmu.data());
            append_sums(expected, sum_dy, sum_dy_xmu, piece.length);
        }
        EXPECT_TRUE(same_bits(outcome.first, expected.first));
        EXPECT_TRUE(same_bits(outcome.second, expected.second));
    }
};

}  // namespace

SuiteList gated_suites() {
    return {suites_of<PlanesGatedReduce>("planes_gated_reduce", Form::kPlanes, false),
            suites_of<PlanesGatedApply>("planes_gated_apply", Form::kPlanes, true),
            suites_of<PlanesGatedScale>("planes_gated_scale", Form::kPlanes, true),
            suites_of<RowsGatedReduce>("rows_gated_reduce", Form::kRows, false),
            suites_of<RowsGatedApply>("rows_gated_apply", Form::kRows, true),
            suites_of<RowsGatedScale>("rows_gated_scale", Form::kRows, true)};
}

}  // namespace ni::test
