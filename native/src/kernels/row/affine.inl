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
            decltype(value(strip, w, r, at, 0, lanes)) results[kStrip];
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

/// Parameters by element, in a vector as elements are.
template <class E>
NI_INLINE Lanes<E> load_parameters(const Parameter<E>* p, int lanes) {
    return lanes == 16 ? load(p) : load_first(p, lanes);
}

/// Parameters of a strip; 0 where there are none.
template <class E>
struct AffineStrip {
    Lanes<E> weight[kStrip], bias[kStrip];
};

template <class E, int Vectors>
NI_INLINE void load_strip(const Parameter<E>* p, int lanes, Lanes<E>* to) {
    for (int64_t v = 0; v < Vectors; ++v) {
        if (p == nullptr) {
            set_zero(to[v]);
        } else {
            to[v] = load_parameters<E>(p + 16 * v, Vectors == 1 ? lanes : 16);
        }
    }
}

/// One row, in memory order.
template <class E, bool kWeight, bool kBias>
NI_INLINE void affine_apply_row(Then<kWeight, kBias> then, const Data<E>* x, int64_t length,
                                const ni::ApplyConstants<Constant<E>>& constants,
                                const ni::Affine<Parameter<E>>& affine, ni::Store store_kind, Data<E>* y) {
    const auto prepared = Normalized<E>::prepared(constants);
    const Normalized<E> normalized(prepared);
    const Parameter<E>*const weight = affine.weight, *const bias = affine.bias;
    write_run<E>(
        length, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            Lanes<E> w, b;
            set_zero(w);
            set_zero(b);
            if (kWeight) w = load_parameters<E>(weight + i, lanes);
            if (kBias) b = load_parameters<E>(bias + i, lanes);
            return normalized(then, load_lanes<E>(x + i, lanes), w, b);
        });
}

/// The most rows whose constants are prepared at once.
constexpr int64_t kPrepared = 8;

/// Rows whose parameters are loaded once for all of them, a strip at a time.
template <class E, bool kWeight, bool kBias>
NI_INLINE void affine_apply_rows(Then<kWeight, kBias> then, const Data<E>* x, const ni::Rows& rows,
                                 const ni::ApplyArrays<Constant<E>>& by_row, const ni::Affine<Parameter<E>>& affine,
                                 ni::Store store_kind, Data<E>* y) {
    typename Normalized<E>::Constants prepared[kPrepared];
    for (int64_t r = 0; r < rows.count; ++r) {
        prepared[r] = Normalized<E>::prepared({by_row.center[r], by_row.scale[r], by_row.offset[r]});
    }
    write_columns<E>(
        rows, store_kind, y,
        [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            AffineStrip<E> k;
            load_strip<E, kVectors>(kWeight ? affine.weight + c : nullptr, lanes, k.weight);
            load_strip<E, kVectors>(kBias ? affine.bias + c : nullptr, lanes, k.bias);
            return k;
        },
        [&](auto strip, const AffineStrip<E>& k, int64_t r, int64_t at, int64_t v, int lanes)
            __attribute__((always_inline)) {
                const Normalized<E> normalized(prepared[r]);
                constexpr int kVectors = decltype(strip)::kVectors;
                return normalized(then, elements_of_strip<E, kVectors>(x + at, v, lanes), k.weight[v], k.bias[v]);
            });
}

template <class E>
void affine_apply(const Data<E>* x, const ni::Rows& rows, const ni::ApplyArrays<Constant<E>>& by_row,
                  const ni::Affine<Parameter<E>>& affine, ni::Store store_kind, Data<E>* y) {
    const auto apply = [&](auto then) __attribute__((always_inline)) {
        if (rows.count == 1) {
            const ni::ApplyConstants<Constant<E>> constants{by_row.center[0], by_row.scale[0], by_row.offset[0]};
            affine_apply_row<E>(then, x, rows.channels, constants, affine, store_kind, y);
            return;
        }
        for (int64_t r = 0; r < rows.count; r += kPrepared) {
            const ni::Rows some{rows.count - r < kPrepared ? rows.count - r : kPrepared, rows.stride, rows.channels};
            const ni::ApplyArrays<Constant<E>> theirs{by_row.center + r, by_row.scale + r, by_row.offset + r};
            affine_apply_rows<E>(then, x + r * rows.stride, some, theirs, affine, store_kind, y + r * rows.stride);
        }
    };
    if (affine.bias == nullptr) {
        apply(Then<true, false>());
    } else if (affine.weight == nullptr) {
        apply(Then<false, true>());
    } else {
        apply(Then<true, true>());
    }
}

template <class E>
void affine_backward_reduce(const Data<E>* dy, const Data<E>* x, const ni::Planes& run, Constant<E> center,
                            const Parameter<E>* weight, ni::GradientSums* out) {
    sum_around<E>(
        static_cast<double>(center), run,
        [&](auto type, Lanes<E> near) __attribute__((always_inline)) {
            sum_gradients<E>(
                type, x, run,
                near, [&](auto density, int64_t i) __attribute__((always_inline)) { prefetch_group(density, dy + i); },
                [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    return mul(as<decltype(type)>(load_lanes<E>(dy + i, lanes)),
                               as<decltype(type)>(load_parameters<E>(weight + i, lanes)));
                },
                out);
        },
        out);
    mend_gradient_sums<E>(
        x, run, center, [&](int64_t i) { return value_at<E>(dy + i) * static_cast<double>(weight[i]); }, *out);
}

template <class E>
void affine_backward_apply(const Data<E>* dy, const Data<E>* x, int64_t length,
                           const ni::BackwardConstants<Constant<E>>& constants, const Parameter<E>* weight,
                           ni::Store store_kind, Data<E>* dx) {
    const InputGradient<E> gradient(constants);
    write_run<E>(
        length, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return gradient(Weighted(), load_lanes<E>(dy + i, lanes), load_lanes<E>(x + i, lanes),
                            load_parameters<E>(weight + i, lanes));
        });
}

}  // namespace
