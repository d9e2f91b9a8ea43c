// planes_backward_apply and rows_backward_apply: dx = dy * scale + ((x - center) * invstd * slope + offset).
#include "kernels/elementwise.h"

namespace ni::test {
namespace {

struct Constants {
    explicit Constants(const KernelCase& piece)
        : center(constants(piece, 0, offset_of(piece), 0.1)),
          invstd(constants(piece, 4, 1, 0.1)),
          scale(constants(piece, 1)),
          slope(constants(piece, 2, 0, 1e-3)),
          offset(constants(piece, 3)) {}
    Guarded<float> center, invstd, scale, slope, offset;
};

template <class Call>
Outcome run(const KernelCase& piece, Call call) {
    const std::vector<float> x_values = inputs(piece, 0), dy_values = inputs(piece, 1);
    OutputBuffer dx(piece, dy_values, &x_values);
    Guarded<float> dy = strided(piece, dy_values, Flush::kEnd), x = strided(piece, x_values, Flush::kEnd, piece.gap);
    dy.make_read_only();
    x.make_read_only();
    call(piece.in_place ? dx.data() : dy.data(), piece.in_second ? dx.data() : x.data(), Constants(piece), dx.data());
    return dx.outcome();
}

Outcome run_planes(const KernelTable& kernels, const KernelCase& piece) {
    return run(piece, [&](const float* dy, const float* x, const Constants& k, float* dx) {
        kernels.planes_backward_apply(dy, x, piece.planes(),
                                      {k.center[0], k.invstd[0], k.scale[0], k.slope[0], k.offset[0]}, piece.store, dx);
    });
}

Outcome run_rows(const KernelTable& kernels, const KernelCase& piece) {
    return run(piece, [&](const float* dy, const float* x, const Constants& k, float* dx) {
        kernels.rows_backward_apply(dy, x, piece.as_rows(),
                                    {k.center.data(), k.invstd.data(), k.scale.data(), k.slope.data(), k.offset.data()},
                                    piece.store, dx);
    });
}

void check(const KernelCase& piece, const Outcome& outcome) {
    const std::vector<float> x = inputs(piece, 0), dy = inputs(piece, 1);
    const Constants k(piece);
    ASSERT_EQ(outcome.data.size(), x.size());
    for (int64_t i = 0; i < piece.elements(); ++i) {
        const int64_t c = piece.channel_of(i);
        const auto center = static_cast<long double>(k.center[c]), slope = static_cast<long double>(k.slope[c]);
        const auto scale = static_cast<long double>(k.scale[c]), offset = static_cast<long double>(k.offset[c]);
        const auto invstd = static_cast<long double>(k.invstd[c]);
        const long double product = (static_cast<long double>(x[i]) - center) * invstd * slope;
        const long double gradient = static_cast<long double>(dy[i]) * scale, exact = gradient + (product + offset);
        const long double magnitude = std::abs(product) + std::abs(product + offset) + std::abs(exact);
        ASSERT_TRUE(close_enough(outcome.data[i], exact, magnitude, 1))
            << "element " << i << " is " << outcome.data[i] << ", expected " << exact;
    }
}

}  // namespace

const KernelSuite kPlanesBackwardApply = {"planes_backward_apply", false, true, &run_planes, &check};
const KernelSuite kRowsBackwardApply = {"rows_backward_apply", true, true, &run_rows, &check};

}  // namespace ni::test
