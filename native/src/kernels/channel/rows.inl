// Kernels of the channels-last layout: rows of consecutive channels, one lane for each channel.
//
// Reductions add kRowBlock rows in the precision of the data type, in row order, then add these sums to the ones in
// double. Lanes never meet, so how channels are cut into strips and tiles changes no result.
#pragma once

#include "kernels/channel/planes.inl"
#include "kernels/kernel_types.h"
#include "kernels/screen.inl"

namespace {

/// Vectors of 16 channels that are summed side by side: enough to hide the latency of the additions.
constexpr int kStrip = 4;

/// The most channels that count as narrow.
constexpr int64_t kNarrow = 128;

/// The most channels whose constants and a row fit in the first-level cache together.
constexpr int64_t kMedium = 512;

/// Whether rows are written strip by strip of channels, with the constants in registers: narrow rows, and rows whose
/// constants would not stay in the first-level cache. Others are written in memory order.
NI_INLINE bool in_strips(const ni::Rows& rows) { return rows.channels <= kNarrow || rows.channels > kMedium; }

template <int Vectors>
struct Strip {
    static constexpr int kVectors = Vectors;
};

/// Calls f(Strip, first channel, lanes) for strips of four vectors, then single ones; lanes is below 16 only at the
/// end.
template <class F>
NI_INLINE void for_each_strip(int64_t channels, F f) {
    int64_t c = 0;
    for (; c + 16 * kStrip <= channels; c += 16 * kStrip) f(Strip<kStrip>(), c, 16);
    for (; c + 16 <= channels; c += 16) f(Strip<1>(), c, 16);
    if (c < channels) f(Strip<1>(), c, static_cast<int>(channels - c));
}

template <class E, int Vectors>
NI_INLINE Lanes<E> elements_of_strip(const Data<E>* p, int64_t vector, int lanes) {
    return Vectors == 1 ? load_lanes<E>(p, lanes) : Elements<E>::load(p + 16 * vector);
}
template <class E, int Vectors>
NI_INLINE Vec<E> load_of_strip(const Data<E>* p, int64_t vector, int lanes) {
    return converted<E>(elements_of_strip<E, Vectors>(p, vector, lanes));
}
/// Constants by channel; also of a strip.
template <int Vectors, class C>
NI_INLINE auto constants_of_strip(const C* p, int64_t vector, int lanes) {
    return Vectors == 1 && lanes != 16 ? load_first(p, lanes) : load(p + 16 * vector);
}

/// Calls f(first channel, lanes) for every vector.
template <class F>
NI_INLINE void for_each_vector_of(int64_t channels, F f) {
    for (int64_t c = 0; c < channels; c += 16) f(c, channels - c < 16 ? static_cast<int>(channels - c) : 16);
}

template <class V>
NI_INLINE void add_to(double* sums, const V& v) {
    f64_store(sums, f64_add(f64_load(sums), low(v)));
    f64_store(sums + 8, f64_add(f64_load(sums + 8), high(v)));
}

/// Zeroes whole vectors of 16 sums.
NI_INLINE void clear(double* sums, int64_t channels) {
    for (int64_t c = 0; c < channels; c += 16) {
        f64_store(sums + c, f64_zero());
        f64_store(sums + c + 8, f64_zero());
    }
}

/// Elements from a row to the one that is fetched meanwhile, that of the next block: the hardware's prefetcher cannot
/// follow a block of wide rows. 0 for narrow ones, which it can follow.
NI_INLINE int64_t prefetch_distance(const ni::Rows& rows) {
    return rows.channels <= kNarrow ? 0 : ni::kRowBlock * rows.stride;
}

/// Two sums a channel over all rows: terms(strip, offset of the row, channel, vector of the strip, lanes, first,
/// second) adds the terms of 16 elements to first and second. A strip of channels takes all rows of a block with its
/// sums in registers; these go to the totals in double at the block's end.
template <class E, class Terms>
NI_INLINE void sum_rows(const ni::Rows& rows, double* first_total, double* second_total, Terms terms) {
    clear(first_total, rows.channels);
    clear(second_total, rows.channels);
    for (int64_t begin = 0; begin < rows.count; begin += ni::kRowBlock) {
        const int64_t end = begin + ni::kRowBlock < rows.count ? begin + ni::kRowBlock : rows.count;
        for_each_strip(
            rows.channels, [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                Vec<E> first[kStrip], second[kStrip];
                for (int64_t v = 0; v < kVectors; ++v) first[v] = second[v] = splat(Constant<E>(0));
                for (int64_t r = begin; r < end; ++r) {
                    for (int64_t v = 0; v < kVectors; ++v) {
                        terms(strip, r * rows.stride, c, v, lanes, first[v], second[v]);
                    }
                }
                for (int64_t v = 0; v < kVectors; ++v) {
                    add_to(first_total + c + 16 * v, first[v]);
                    add_to(second_total + c + 16 * v, second[v]);
                }
            });
    }
}

/// A value close to each channel's mean: that of eight rows, added as a tree so that a constant channel gives itself.
template <class E>
NI_INLINE Vec<E> shift_of(const Data<E>* x, const ni::Rows& rows, int lanes) {
    if (rows.count < 8) return converted<E>(load_lanes<E>(x, lanes));
    const auto pair = [&](int64_t r) __attribute__((always_inline)) {
        return add(converted<E>(load_lanes<E>(x + r * rows.stride, lanes)),
                   converted<E>(load_lanes<E>(x + (r + 1) * rows.stride, lanes)));
    };
    const Vec<E> sum = add(add(pair(0), pair(2)), add(pair(4), pair(6)));
    return mul(sum, splat(Constant<E>(0.125)));
}

/// Moments of up to 16 channels in two passes in double, for the lanes whose bit is set.
template <class E>
void rows_moments_exact(const Data<E>* x, const ni::Rows& rows, int lanes, uint32_t bits, double* mean, double* m2) {
    const F64 count = f64_set(static_cast<double>(rows.count));
    F64 sum[2] = {f64_zero(), f64_zero()};
    for (int64_t r = 0; r < rows.count; ++r) {
        const Lanes<E> v = load_lanes<E>(x + r * rows.stride, lanes);
        sum[0] = f64_add(sum[0], low(v));
        sum[1] = f64_add(sum[1], high(v));
    }
    const F64 center[2] = {f64_div(sum[0], count), f64_div(sum[1], count)};
    F64 residue[2] = {f64_zero(), f64_zero()}, square[2] = {f64_zero(), f64_zero()};
    for (int64_t r = 0; r < rows.count; ++r) {
        const Lanes<E> v = load_lanes<E>(x + r * rows.stride, lanes);
        const F64 d[2] = {f64_sub(low(v), center[0]), f64_sub(high(v), center[1])};
        for (int h = 0; h < 2; ++h) {
            residue[h] = f64_add(residue[h], d[h]);
            square[h] = f64_add(square[h], f64_mul(d[h], d[h]));
        }
    }
    for (int h = 0; h < 2; ++h) {
        const uint32_t half = bits >> (8 * h) & 255U;
        const F64 step = f64_div(residue[h], count);
        // An infinite mean makes both sums NaN: the mean stays infinite, the variance is NaN.
        const uint32_t finite = f64_equal(f64_sub(residue[h], residue[h]), f64_zero());
        const F64 exact_mean = f64_select(finite, f64_add(center[h], step), center[h]);
        const F64 difference = f64_sub(square[h], f64_mul(residue[h], step));
        const uint32_t negative = f64_at_least(f64_zero(), difference);
        const F64 exact_m2 = f64_select(negative, f64_zero(), difference);
        f64_store(mean + 8 * h, f64_select(half, exact_mean, f64_load(mean + 8 * h)));
        f64_store(m2 + 8 * h, f64_select(half, exact_m2, f64_load(m2 + 8 * h)));
    }
}

/// Turns sum(d) and sum(d^2) of 16 channels into mean and M2; returns the lanes that must be summed again in double.
template <class C>
NI_INLINE uint32_t finish_moments(const C* shift, double rows, double* mean, double* m2) {
    const F64 count = f64_set(rows), least = f64_set(ni_screen::least_square(C()) * rows);
    const auto center = load(shift);
    uint32_t trusted = 0;
    for (int h = 0; h < 2; ++h) {
        const F64 sum = f64_load(mean + 8 * h), square = f64_load(m2 + 8 * h);
        const F64 step = f64_div(sum, count);
        const F64 deviations = f64_sub(square, f64_mul(sum, step));
        f64_store(mean + 8 * h, f64_add(h == 0 ? low(center) : high(center), step));
        f64_store(m2 + 8 * h, deviations);
        trusted |= (f64_at_least(deviations, f64_mul(square, f64_set(ni_screen::kLeastPart))) &
                    f64_at_least(square, least) & f64_equal(f64_sub(square, square), f64_zero()))
                   << (8 * h);
    }
    return ~trusted;
}

/// As planes_moments, lane by lane: one pass around a value close to the mean, and a second look at what it cannot do.
template <class E>
void rows_moments(const Data<E>* x, const ni::Rows& rows, double* mean, double* m2) {
    Constant<E> shift[ni::kRowTile];
    for_each_vector_of(rows.channels, [&](int64_t c, int lanes) { store(shift + c, shift_of<E>(x + c, rows, lanes)); });
    const int64_t ahead = prefetch_distance(rows);
    sum_rows<E>(
        rows, mean, m2,
        [&](auto strip, int64_t row, int64_t c, int64_t v, int lanes, Vec<E>& sum, Vec<E>& square)
            __attribute__((always_inline)) {
                if (ahead != 0) ni::prefetch(x + row + c + 16 * v + ahead);
                const Vec<E> value = load_of_strip<E, decltype(strip)::kVectors>(x + row + c, v, lanes);
                const Vec<E> d = sub(value, load(shift + c + 16 * v));
                sum = add(sum, d);
                square = madd(d, d, square);
            });
    for_each_vector_of(rows.channels, [&](int64_t c, int lanes) {
        const uint32_t wanted = (1U << lanes) - 1U;
        const uint32_t again = finish_moments(shift + c, static_cast<double>(rows.count), mean + c, m2 + c) & wanted;
        if (again != 0) rows_moments_exact<E>(x + c, rows, lanes, again, mean + c, m2 + c);
    });
}

/// Writes value(strip, constants, offset, vector of the strip, lanes) for every vector of every row; constants(strip,
/// channel, lanes) loads those of a strip into registers, for all rows if they are narrow, otherwise for a few: the
/// constants of a wide row and the row itself do not fit in the first-level cache together.
template <class E, class Constants, class Value>
NI_INLINE void write_strips(const ni::Rows& rows, Data<E>* out, Constants constants, Value value) {
    const int64_t together = rows.channels <= kNarrow ? rows.count : 4;
    for (int64_t begin = 0; begin < rows.count; begin += together) {
        const int64_t end = begin + together < rows.count ? begin + together : rows.count;
        for_each_strip(
            rows.channels, [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                const auto k = constants(strip, c, lanes);
                for (int64_t r = begin; r < end; ++r) {
                    const int64_t at = r * rows.stride + c;
                    Vec<E> results[kStrip];
                    for (int64_t v = 0; v < kVectors; ++v) results[v] = value(strip, k, at, v, lanes);
                    for (int64_t v = 0; v < kVectors; ++v) {
                        if (kVectors == 1 && lanes != 16) {
                            Elements<E>::store_first(out + at, results[v], lanes);
                        } else {
                            Elements<E>::store(out + at + 16 * v, results[v]);
                        }
                    }
                }
            });
    }
}

template <class E>
struct ApplyStrip {
    Vec<E> center[kStrip], scale[kStrip], offset[kStrip];
};

template <class E>
void rows_apply_strips(const Data<E>* x, const ni::Rows& rows, const ni::ApplyArrays<Constant<E>>& constants,
                       Data<E>* y) {
    write_strips<E>(
        rows, y,
        [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            ApplyStrip<E> k;
            for (int64_t v = 0; v < kVectors; ++v) {
                k.center[v] = constants_of_strip<kVectors>(constants.center + c, v, lanes);
                k.scale[v] = constants_of_strip<kVectors>(constants.scale + c, v, lanes);
                k.offset[v] = constants_of_strip<kVectors>(constants.offset + c, v, lanes);
            }
            return k;
        },
        [&](auto strip, const ApplyStrip<E>& k, int64_t at, int64_t v, int lanes) __attribute__((always_inline)) {
            const Vec<E> value = load_of_strip<E, decltype(strip)::kVectors>(x + at, v, lanes);
            return madd(sub(value, k.center[v]), k.scale[v], k.offset[v]);
        });
}

template <class E>
void rows_apply(const Data<E>* x, const ni::Rows& rows, const ni::ApplyArrays<Constant<E>>& constants,
                ni::Store store_kind, Data<E>* y) {
    if (store_kind == ni::Store::kCached && in_strips(rows)) {
        return rows_apply_strips<E>(x, rows, constants, y);
    }
    for (int64_t r = 0; r < rows.count; ++r) {
        const Data<E>* in = x + r * rows.stride;
        write_run<E>(
            rows.channels, store_kind, y + r * rows.stride, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                const Vec<E> d =
                    sub(converted<E>(load_lanes<E>(in + i, lanes)), load_values<E>(constants.center + i, lanes));
                return madd(d, load_values<E>(constants.scale + i, lanes), load_values<E>(constants.offset + i, lanes));
            });
    }
}

template <class E>
void rows_backward_reduce(const Data<E>* dy, const Data<E>* x, const ni::Rows& rows, const Constant<E>* center,
                          double* sum_dy, double* sum_dy_xmu) {
    const int64_t ahead = prefetch_distance(rows);
    sum_rows<E>(
        rows, sum_dy, sum_dy_xmu,
        [&](auto strip, int64_t row, int64_t c, int64_t v, int lanes, Vec<E>& sum, Vec<E>& product)
            __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                if (ahead != 0) {
                    ni::prefetch(dy + row + c + 16 * v + ahead);
                    ni::prefetch(x + row + c + 16 * v + ahead);
                }
                const Vec<E> g = load_of_strip<E, kVectors>(dy + row + c, v, lanes);
                const Vec<E> mean = constants_of_strip<kVectors>(center + c, v, lanes);
                const Vec<E> d = sub(load_of_strip<E, kVectors>(x + row + c, v, lanes), mean);
                sum = add(sum, g);
                product = madd(g, d, product);
            });
    if constexpr (!kSumsOfRowsMayFail<E>) return;
    for (int64_t c = 0; c < rows.channels; ++c) {
        ni::GradientSums both{sum_dy[c], sum_dy_xmu[c]};
        const auto gradient = [&](int64_t i) { return value_at<E>(dy + c + i); };
        mend_gradient_sums<E>(x + c, {rows.count, rows.stride, 1}, center[c], gradient, both);
        sum_dy[c] = both.dy;
        sum_dy_xmu[c] = both.dy_xmu;
    }
}

template <class E>
struct BackwardStrip {
    Vec<E> center[kStrip], invstd[kStrip], scale[kStrip], slope[kStrip], offset[kStrip];
};

template <class E>
void rows_backward_apply_strips(const Data<E>* dy, const Data<E>* x, const ni::Rows& rows,
                                const ni::BackwardArrays<Constant<E>>& constants, Data<E>* dx) {
    write_strips<E>(
        rows, dx,
        [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            BackwardStrip<E> k;
            for (int64_t v = 0; v < kVectors; ++v) {
                k.center[v] = constants_of_strip<kVectors>(constants.center + c, v, lanes);
                k.invstd[v] = constants_of_strip<kVectors>(constants.invstd + c, v, lanes);
                k.scale[v] = constants_of_strip<kVectors>(constants.scale + c, v, lanes);
                k.slope[v] = constants_of_strip<kVectors>(constants.slope + c, v, lanes);
                k.offset[v] = constants_of_strip<kVectors>(constants.offset + c, v, lanes);
            }
            return k;
        },
        [&](auto strip, const BackwardStrip<E>& k, int64_t at, int64_t v, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            const Vec<E> d = sub(load_of_strip<E, kVectors>(x + at, v, lanes), k.center[v]);
            const Vec<E> affine = madd(mul(d, k.invstd[v]), k.slope[v], k.offset[v]);
            return madd(load_of_strip<E, kVectors>(dy + at, v, lanes), k.scale[v], affine);
        });
}

template <class E>
void rows_backward_apply(const Data<E>* dy, const Data<E>* x, const ni::Rows& rows,
                         const ni::BackwardArrays<Constant<E>>& constants, ni::Store store_kind, Data<E>* dx) {
    if (store_kind == ni::Store::kCached && in_strips(rows)) {
        return rows_backward_apply_strips<E>(dy, x, rows, constants, dx);
    }
    for (int64_t r = 0; r < rows.count; ++r) {
        const Data<E>* gradient = dy + r * rows.stride;
        const Data<E>* input = x + r * rows.stride;
        write_run<E>(
            rows.channels, store_kind, dx + r * rows.stride, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                const Vec<E> d =
                    sub(converted<E>(load_lanes<E>(input + i, lanes)), load_values<E>(constants.center + i, lanes));
                const Vec<E> normalized = mul(d, load_values<E>(constants.invstd + i, lanes));
                const Vec<E> affine = madd(normalized, load_values<E>(constants.slope + i, lanes),
                                           load_values<E>(constants.offset + i, lanes));
                return madd(converted<E>(load_lanes<E>(gradient + i, lanes)),
                            load_values<E>(constants.scale + i, lanes), affine);
            });
    }
}

}  // namespace
