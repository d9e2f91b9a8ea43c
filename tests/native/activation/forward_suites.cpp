// planes_activate and rows_activate: what the separate steps give, to the bit.
#include "activation/suite_pieces.h"
#include "support/bits.h"

namespace ni::test {
namespace {

template <class E>
struct Activate {
    /// call(x, residual, z's constants, kind, y, mask) for the kinds of the case: all outputs, and the bits of the
    /// masks.
    template <class Call>
    static Outcome run_all(const KernelCase& piece, Call call) {
        Outcome all;
        const ZConstantsOf<E> k(piece);
        for (const Kind& kind : forward_kinds(piece)) {
            OutputBuffer<E> y(piece, 2);
            const auto x = input_buffer<E>(piece, 0, Flush::kEnd), residual = input_buffer<E>(piece, 1, Flush::kEnd);
            MaskOfCase mask(piece);
            call(piece.in_place ? y.data() : x.data(),
                 !kind.residual    ? nullptr
                 : piece.in_second ? y.data()
                                   : residual.data(),
                 k, kind.activation, y.data(), kind.mask ? mask.to_write() : Mask<uint8_t>{nullptr, 0});
            append(all.data, y.outcome().data);
            if (kind.mask) mask.append_to(all.data);
        }
        return all;
    }

    static void check(const KernelCase& piece, const Outcome& outcome) {
        std::vector<double> expected;
        const std::vector<typename E::Data> z = stored_z<E>(piece), residual = inputs<E>(piece, 1);
        for (const Kind& kind : forward_kinds(piece)) {
            const Steps<E> steps(kind.activation, z, kind.residual ? residual : std::vector<typename E::Data>());
            append(expected, values<E>(steps.y));
            if (!kind.mask) continue;
            for (const auto value : steps.z) expected.push_back(is_open<E>(value) ? 1 : 0);
        }
        EXPECT_TRUE(same_bits(outcome.data, expected));
    }
};

template <class E>
struct PlanesActivate : Activate<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return Activate<E>::run_all(piece, [&](const auto* x, const auto* residual, const ZConstantsOf<E>& k,
                                               Activation activation, auto* y, const Mask<uint8_t>& mask) {
            kernels.planes_activate(x, residual, piece.planes(), k.first(), activation, piece.store, y, mask);
        });
    }
};

template <class E>
struct RowsActivate : Activate<E> {
    static Outcome run(const Kernels<E>& kernels, const KernelCase& piece) {
        return Activate<E>::run_all(piece, [&](const auto* x, const auto* residual, const ZConstantsOf<E>& k,
                                               Activation activation, auto* y, const Mask<uint8_t>& mask) {
            kernels.rows_activate(x, residual, piece.as_rows(), k.arrays(), activation, piece.store, y, mask);
        });
    }
};

}  // namespace

SuiteList activate_suites() {
    return {suites_of<PlanesActivate>("planes_activate", Form::kPlanes, true),
            suites_of<RowsActivate>("rows_activate", Form::kRows, true)};
}

}  // namespace ni::test
