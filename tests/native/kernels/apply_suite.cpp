// planes_apply and rows_apply: y = (x - center) * scale + offset.
#include "kernels/elementwise.h"

namespace ni::test {
namespace {

struct Constants {
    explicit Constants(const KernelCase& piece)
        : center(constants(piece, 0, offset_of(piece), 0.1)), scale(constants(piece, 1)), offset(constants(piece, 2)) {}
    Guarded<float> center, scale, offset;
};

template <class Call>
Outcome run(const KernelCase& piece, Call call) {
    const std::vector<float> values = inputs(piece, 0);
    OutputBuffer y(piece, values, nullptr);
    Guarded<float> x = strided(piece, values, Flush::kEnd);
    x.make_read_only();
    call(piece.in_place ? y.data() : x.data(), Constants(piece), y.data());
    return y.outcome();
}

Outcome run_planes(const KernelTable& kernels, const KernelCase& piece) {
    return run(piece, [&](const float* x, const Constants& k, float* y) {
        kernels.planes_apply(x, piece.planes(), {k.center[0], k.scale[0], k.offset[0]}, piece.store, y);
    });
}

Outcome run_rows(const KernelTable& kernels, const KernelCase& piece) {
    return run(piece, [&](const float* x, const Constants& k, float* y) {
        kernels.rows_apply(x, piece.as_rows(), {k.center.data(), k.scale.data(), k.offset.data()}, piece.store, y);
    });
}

void check(const KernelCase& piece, const Outcome& outcome) {
    const std::vector<float> x = inputs(piece, 0);
    const Constants k(piece);
    ASSERT_EQ(outcome.data.size(), x.size());
    for (int64_t i = 0; i < piece.elements(); ++i) {
        const int64_t c = piece.channel_of(i);
        const auto center = static_cast<long double>(k.center[c]), scale = static_cast<long double>(k.scale[c]);
        const auto offset = static_cast<long double>(k.offset[c]);
        const long double product = (static_cast<long double>(x[i]) - center) * scale, exact = product + offset;
        ASSERT_TRUE(close_enough(outcome.data[i], exact, std::abs(product) + std::abs(exact), 1))
            << "element " << i << " is " << outcome.data[i] << ", expected " << exact;
    }
}

}  // namespace

const KernelSuite kPlanesApply = {"planes_apply", false, true, &run_planes, &check};
const KernelSuite kRowsApply = {"rows_apply", true, true, &run_rows, &check};

}  // namespace ni::test
