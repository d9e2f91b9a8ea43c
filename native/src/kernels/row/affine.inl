// Kernels of rows with a weight and a bias for each element: LayerNorm, RMSNorm, and GroupNorm of single positions.
#pragma once

#include "kernels/channel/rows.inl"

namespace {

/// Writes value(weights, row, offset, vector of the strip, lanes) for every vector of every row, the rows of a strip
/// one after another: weights(strip, column, lanes) are loaded once for all of them. Streaming stores want rows that
/// lie alike in their cache lines.
template <class E, class Weights, class Value>
NI_INLINE void write_columns(const ni::Rows& rows, ni::Store store_kind, Data<E>* out, Weights weights, Value value) {
    constexpr uintptr_t kBytes = 16 * sizeof(Data<E>), kLine = ni::kStreamAlignment;
    constexpr uintptr_t kAligned = kBytes < kLine ? kBytes : kLine;
    const bool alike = static_cast<uintptr_t>(rows.stride) * sizeof(Data<E>) % kAligned == 0;
    const bool streaming = store_kind == ni::Store::kStreaming && alike && rows.channels >= kGroup;
    const auto write = [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
        constexpr int kVectors = decltype(strip)::kVectors;
        const auto w = weights(strip, c, lanes);
        for (int64_t r = 0; r < rows.count; ++r) {
            const int64_t at = r * rows.stride + c;
            Vec<E> results[kStrip];
            for (int64_t v = 0; v < kVectors; ++v) results[v] = value(strip, w, r, at, v, lanes);
            for (int64_t v = 0; v < kVectors; ++v) {
                if (kVectors == 1 && lanes != 16) {
                    Elements<E>::store_first(out + at, results[v], lanes);
                } else if (streaming) {
                    Elements<E>::stream(out + at + 16 * v, results[v]);
                } else {
                    Elements<E>::store(out + at + 16 * v, results[v]);
                }
            }
        }
    };
    const auto gap = streaming ? -reinterpret_cast<uintptr_t>(out) % kAligned / sizeof(Data<E>) : 0;
    const auto head = static_cast<int>(gap);
    if (head != 0) write(Strip<1>(), 0, head);
    for_each_strip(
        rows.channels - head, [&](auto strip, int64_t c, int lanes)
                                  __attribute__((always_inline)) { write(strip, head + c, lanes); });
}

/// Parameters of a strip; 0 where there are none.
template <class E>
struct AffineStrip {
    Vec<E> weight[kStrip], bias[kStrip];
};

template <class E, int Vectors>
NI_INLINE void load_strip(const Parameter<E>* p, int lanes, Vec<E>* to) {
    for (int64_t v = 0; v < Vectors; ++v) {
        to[v] = p != nullptr ? load_values<E>(p + 16 * v, Vectors == 1 ? lanes : 16) : splat(Constant<E>(0));
    }
}

template <class E>
void affine_apply(const Data<E>* x, const ni::Rows& rows, const ni::ApplyArrays<Constant<E>>& by_row,
                  const ni::Affine<Parameter<E>>& affine, ni::Store store_kind, Data<E>* y) {
    const Parameter<E>*const weight = affine.weight, *const bias = affine.bias;
    if (rows.count == 1) {
        const Vec<E> center = splat(by_row.center[0]), scale = splat(by_row.scale[0]), offset = splat(by_row.offset[0]);
        const auto normalized = [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return madd(sub(load_lanes<E>(x + i, lanes), center), scale, offset);
        };
        if (bias == nullptr) {
            write_run<E>(
                rows.channels, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    return mul(normalized(i, lanes), load_values<E>(weight + i, lanes));
                });
        } else if (weight == nullptr) {
            write_run<E>(
                rows.channels, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    return add(normalized(i, lanes), load_values<E>(bias + i, lanes));
                });
        } else {
            write_run<E>(
                rows.channels, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    return madd(normalized(i, lanes), load_values<E>(weight + i, lanes),
                                load_values<E>(bias + i, lanes));
                });
        }
        return;
    }
    const auto write = [&](auto scaled) __attribute__((always_inline)) {
        write_columns<E>(
            rows, store_kind, y,
            [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                AffineStrip<E> k;
                load_strip<E, kVectors>(weight != nullptr ? weight + c : nullptr, lanes, k.weight);
                load_strip<E, kVectors>(bias != nullptr ? bias + c : nullptr, lanes, k.bias);
                return k;
            },
            [&](auto strip, const AffineStrip<E>& k, int64_t r, int64_t at, int64_t v, int lanes)
                __attribute__((always_inline)) {
                    const Vec<E> d =
                        sub(load_of_strip<E, decltype(strip)::kVectors>(x + at, v, lanes), splat(by_row.center[r]));
                    return scaled(madd(d, splat(by_row.scale[r]), splat(by_row.offset[r])), k, v);
                });
    };
    using Strips = const AffineStrip<E>&;
    if (bias == nullptr) {
        write([](Vec<E> n, Strips k, int64_t v) __attribute__((always_inline)) { return mul(n, k.weight[v]); });
    } else if (weight == nullptr) {
        write([](Vec<E> n, Strips k, int64_t v) __attribute__((always_inline)) { return add(n, k.bias[v]); });
    } else {
        write([](Vec<E> n, Strips k, int64_t v)
                  __attribute__((always_inline)) { return madd(n, k.weight[v], k.bias[v]); });
    }
}

template <class E>
void affine_backward_reduce(const Data<E>* dy, const Data<E>* x, const ni::Planes& run, Constant<E> center,
                            const Parameter<E>* weight, ni::GradientSums* out) {
    sum_gradients<E>(
        x, run,
        center, [&](auto density, int64_t i) __attribute__((always_inline)) { prefetch_group(density, dy + i); },
        [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return mul(load_lanes<E>(dy + i, lanes), load_values<E>(weight + i, lanes));
        },
        out);
    mend_gradient_sums<E>(
        x, run, center, [&](int64_t i) { return static_cast<double>(dy[i]) * static_cast<double>(weight[i]); }, *out);
}

template <class E>
void affine_backward_apply(const Data<E>* dy, const Data<E>* x, int64_t length,
                           const ni::BackwardConstants<Constant<E>>& constants, const Parameter<E>* weight,
                           ni::Store store_kind, Data<E>* dx) {
    const Vec<E> center = splat(constants.center), invstd = splat(constants.invstd), scale = splat(constants.scale);
    const Vec<E> slope = splat(constants.slope), offset = splat(constants.offset);
    write_run<E>(
        length, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            const Vec<E> normalized = mul(sub(load_lanes<E>(x + i, lanes), center), invstd);
            // dy * weight may leave the range of a float where its product with the scale does not.
            const Vec<E> gradient = mul(load_lanes<E>(dy + i, lanes), scale);
            return madd(gradient, load_values<E>(weight + i, lanes), madd(normalized, slope, offset));
        });
}

}  // namespace
