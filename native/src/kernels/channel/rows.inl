// Kernels of the channels-last layout: rows of consecutive channels, one lane for each channel.
//
// Reductions add kRowBlock rows in float, in row order, then add these sums to the ones in double. Lanes never meet, so
// how channels are cut into strips and tiles changes no result.
#pragma once

#include "kernels/channel/planes.inl"
#include "kernels/kernel_types.h"
#include "kernels/screen.inl"

namespace {

/// Vectors of 16 channels that are summed side by side: enough to hide the latency of the additions.
constexpr int kStrip = 4;

/// The most channels that count as narrow.
constexpr int64_t kNarrow = 128;

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

template <int Vectors>
NI_INLINE F32 load_of_strip(const float* p, int64_t vector, int lanes) {
    return Vectors == 1 ? load_lanes(p, lanes) : f32_load(p + 16 * vector);
}

/// Calls f(first channel, lanes) for every vector.
template <class F>
NI_INLINE void for_each_vector_of(int64_t channels, F f) {
    for (int64_t c = 0; c < channels; c += 16) f(c, channels - c < 16 ? static_cast<int>(channels - c) : 16);
}

NI_INLINE void add_to(double* sums, F32 v) {
    f64_store(sums, f64_add(f64_load(sums), f32_low(v)));
    f64_store(sums + 8, f64_add(f64_load(sums + 8), f32_high(v)));
}

/// Zeroes whole vectors of 16 sums.
NI_INLINE void clear(double* sums, int64_t channels) {
    for (int64_t c = 0; c < channels; c += 16) {
        f64_store(sums + c, f64_zero());
        f64_store(sums + c + 8, f64_zero());
    }
}

/// Two sums a channel over all rows: terms(strip, offset of the row, channel, vector of the strip, lanes,
/// first, second) adds the terms of 16 elements to first and second. The sums of a block are in single precision and go
/// to the totals in double at its end.
///
/// In narrow rows, a strip of channels takes all rows of a block with its sums in registers. Wider rows are taken one
/// by one, in memory order, with the sums in the first-level cache: the prefetcher cannot follow a block of wide rows.
template <class Terms>
NI_INLINE void sum_rows(const ni::Rows& rows, float* first, float* second, double* first_total, double* second_total,
                        Terms terms) {
    clear(first_total, rows.channels);
    clear(second_total, rows.channels);
    const int64_t together = rows.channels <= kNarrow ? ni::kRowBlock : 1;
    for (int64_t block = 0; block < rows.count; block += ni::kRowBlock) {
        const int64_t end = block + ni::kRowBlock < rows.count ? block + ni::kRowBlock : rows.count;
        for_each_vector_of(rows.channels, [&](int64_t c, int) {
            f32_store(first + c, f32_zero());
            f32_store(second + c, f32_zero());
        });
        for (int64_t begin = block; begin < end; begin += together) {
            const int64_t stop = begin + together < end ? begin + together : end;
            for_each_strip(
                rows.channels, [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
                    constexpr int kVectors = decltype(strip)::kVectors;
                    F32 a[kStrip], b[kStrip];
                    for (int64_t v = 0; v < kVectors; ++v) {
                        a[v] = f32_load(first + c + 16 * v);
                        b[v] = f32_load(second + c + 16 * v);
                    }
                    for (int64_t r = begin; r < stop; ++r) {
                        for (int64_t v = 0; v < kVectors; ++v) terms(strip, r * rows.stride, c, v, lanes, a[v], b[v]);
                    }
                    for (int64_t v = 0; v < kVectors; ++v) {
                        f32_store(first + c + 16 * v, a[v]);
                        f32_store(second + c + 16 * v, b[v]);
                    }
                });
        }
        for_each_vector_of(rows.channels, [&](int64_t c, int) {
            add_to(first_total + c, f32_load(first + c));
            add_to(second_total + c, f32_load(second + c));
        });
    }
}

/// A value close to each channel's mean: that of eight rows, added as a tree so that a constant channel gives itself.
NI_INLINE F32 shift_of(const float* x, const ni::Rows& rows, int lanes) {
    if (rows.count < 8) return load_lanes(x, lanes);
    const auto pair = [&](int64_t r) __attribute__((always_inline)) {
        return f32_add(load_lanes(x + r * rows.stride, lanes), load_lanes(x + (r + 1) * rows.stride, lanes));
    };
    const F32 sum = f32_add(f32_add(pair(0), pair(2)), f32_add(pair(4), pair(6)));
    return f32_mul(sum, f32_set(0.125F));
}

/// Moments of up to 16 channels in two passes in double, for the lanes whose bit is set.
void rows_moments_exact(const float* x, const ni::Rows& rows, int lanes, uint32_t bits, double* mean, double* m2) {
    const F64 count = f64_set(static_cast<double>(rows.count));
    F64 sum[2] = {f64_zero(), f64_zero()};
    for (int64_t r = 0; r < rows.count; ++r) {
        const F32 v = load_lanes(x + r * rows.stride, lanes);
        sum[0] = f64_add(sum[0], f32_low(v));
        sum[1] = f64_add(sum[1], f32_high(v));
    }
    const F64 center[2] = {f64_div(sum[0], count), f64_div(sum[1], count)};
    F64 residue[2] = {f64_zero(), f64_zero()}, square[2] = {f64_zero(), f64_zero()};
    for (int64_t r = 0; r < rows.count; ++r) {
        const F32 v = load_lanes(x + r * rows.stride, lanes);
        const F64 d[2] = {f64_sub(f32_low(v), center[0]), f64_sub(f32_high(v), center[1])};
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
NI_INLINE uint32_t finish_moments(const float* shift, double rows, double* mean, double* m2) {
    const F64 count = f64_set(rows), least = f64_set(ni_screen::kLeastSquare * rows);
    const F32 center = f32_load(shift);
    uint32_t trusted = 0;
    for (int h = 0; h < 2; ++h) {
        const F64 sum = f64_load(mean + 8 * h), square = f64_load(m2 + 8 * h);
        const F64 step = f64_div(sum, count);
        const F64 deviations = f64_sub(square, f64_mul(sum, step));
        f64_store(mean + 8 * h, f64_add(h == 0 ? f32_low(center) : f32_high(center), step));
        f64_store(m2 + 8 * h, deviations);
        trusted |= (f64_at_least(deviations, f64_mul(square, f64_set(ni_screen::kLeastPart))) &
                    f64_at_least(square, least) & f64_equal(f64_sub(square, square), f64_zero()))
                   << (8 * h);
    }
    return ~trusted;
}

/// As planes_moments, lane by lane: one pass around a value close to the mean, and a second look at what it cannot do.
void rows_moments(const float* x, const ni::Rows& rows, double* mean, double* m2) {
    float shift[ni::kRowTile], sums[ni::kRowTile], squares[ni::kRowTile];
    for_each_vector_of(rows.channels,
                       [&](int64_t c, int lanes) { f32_store(shift + c, shift_of(x + c, rows, lanes)); });
    sum_rows(
        rows, sums, squares, mean, m2,
        [&](auto strip, int64_t row, int64_t c, int64_t v, int lanes, F32& sum, F32& square)
            __attribute__((always_inline)) {
                const F32 value = load_of_strip<decltype(strip)::kVectors>(x + row + c, v, lanes);
                const F32 d = f32_sub(value, f32_load(shift + c + 16 * v));
                sum = f32_add(sum, d);
                square = f32_fma(d, d, square);
            });
    for_each_vector_of(rows.channels, [&](int64_t c, int lanes) {
        const uint32_t wanted = (1U << lanes) - 1U;
        const uint32_t again = finish_moments(shift + c, static_cast<double>(rows.count), mean + c, m2 + c) & wanted;
        if (again != 0) rows_moments_exact(x + c, rows, lanes, again, mean + c, m2 + c);
    });
}

/// Writes value(strip, constants, offset, vector of the strip, lanes) for every vector of every row; constants(strip,
/// channel, lanes) loads those of a strip into registers, for all rows if they are narrow, otherwise for a few: the
/// constants of a wide row and the row itself do not fit in the first-level cache together.
template <class Constants, class Value>
NI_INLINE void write_strips(const ni::Rows& rows, float* out, Constants constants, Value value) {
    const int64_t together = rows.channels <= kNarrow ? rows.count : 4;
    for (int64_t begin = 0; begin < rows.count; begin += together) {
        const int64_t end = begin + together < rows.count ? begin + together : rows.count;
        for_each_strip(
            rows.channels, [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                const auto k = constants(strip, c, lanes);
                for (int64_t r = begin; r < end; ++r) {
                    const int64_t at = r * rows.stride + c;
                    F32 results[kStrip];
                    for (int64_t v = 0; v < kVectors; ++v) results[v] = value(strip, k, at, v, lanes);
                    for (int64_t v = 0; v < kVectors; ++v) {
                        if (kVectors == 1 && lanes != 16) {
                            f32_store_first(out + at, results[v], lanes);
                        } else {
                            f32_store(out + at + 16 * v, results[v]);
                        }
                    }
                }
            });
    }
}

struct ApplyStrip {
    F32 center[kStrip], scale[kStrip], offset[kStrip];
};

void rows_apply_strips(const float* x, const ni::Rows& rows, const ni::ApplyArrays& constants, float* y) {
    write_strips(
        rows, y,
        [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            ApplyStrip k;
            for (int64_t v = 0; v < kVectors; ++v) {
                k.center[v] = load_of_strip<kVectors>(constants.center + c, v, lanes);
                k.scale[v] = load_of_strip<kVectors>(constants.scale + c, v, lanes);
                k.offset[v] = load_of_strip<kVectors>(constants.offset + c, v, lanes);
            }
            return k;
        },
        [&](auto strip, const ApplyStrip& k, int64_t at, int64_t v, int lanes) __attribute__((always_inline)) {
            const F32 value = load_of_strip<decltype(strip)::kVectors>(x + at, v, lanes);
            return f32_fma(f32_sub(value, k.center[v]), k.scale[v], k.offset[v]);
        });
}

void rows_apply(const float* x, const ni::Rows& rows, const ni::ApplyArrays& constants, ni::Store store, float* y) {
    if (store == ni::Store::kCached) return rows_apply_strips(x, rows, constants, y);
    for (int64_t r = 0; r < rows.count; ++r) {
        const float* in = x + r * rows.stride;
        write_run(
            rows.channels, store, y + r * rows.stride, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                const F32 d = f32_sub(load_lanes(in + i, lanes), load_lanes(constants.center + i, lanes));
                return f32_fma(d, load_lanes(constants.scale + i, lanes), load_lanes(constants.offset + i, lanes));
            });
    }
    stream_fence();
}

void rows_backward_reduce(const float* dy, const float* x, const ni::Rows& rows, const float* center, double* sum_dy,
                          double* sum_dy_xmu) {
    float sums[ni::kRowTile], products[ni::kRowTile];
    sum_rows(
        rows, sums, products, sum_dy, sum_dy_xmu,
        [&](auto strip, int64_t row, int64_t c, int64_t v, int lanes, F32& sum, F32& product)
            __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                const F32 g = load_of_strip<kVectors>(dy + row + c, v, lanes);
                const F32 mean = load_of_strip<kVectors>(center + c, v, lanes);
                const F32 d = f32_sub(load_of_strip<kVectors>(x + row + c, v, lanes), mean);
                sum = f32_add(sum, g);
                product = f32_fma(g, d, product);
            });
    for (int64_t c = 0; c < rows.channels; ++c) {
        ni::GradientSums both{sum_dy[c], sum_dy_xmu[c]};
        mend_gradient_sums(dy + c, x + c, {rows.count, rows.stride, 1}, center[c], both);
        sum_dy[c] = both.dy;
        sum_dy_xmu[c] = both.dy_xmu;
    }
}

struct BackwardStrip {
    F32 center[kStrip], invstd[kStrip], scale[kStrip], slope[kStrip], offset[kStrip];
};

void rows_backward_apply_strips(const float* dy, const float* x, const ni::Rows& rows,
                                const ni::BackwardArrays& constants, float* dx) {
    write_strips(
        rows, dx,
        [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            BackwardStrip k;
            for (int64_t v = 0; v < kVectors; ++v) {
                k.center[v] = load_of_strip<kVectors>(constants.center + c, v, lanes);
                k.invstd[v] = load_of_strip<kVectors>(constants.invstd + c, v, lanes);
                k.scale[v] = load_of_strip<kVectors>(constants.scale + c, v, lanes);
                k.slope[v] = load_of_strip<kVectors>(constants.slope + c, v, lanes);
                k.offset[v] = load_of_strip<kVectors>(constants.offset + c, v, lanes);
            }
            return k;
        },
        [&](auto strip, const BackwardStrip& k, int64_t at, int64_t v, int lanes) __attribute__((always_inline)) {
            constexpr int kVectors = decltype(strip)::kVectors;
            const F32 d = f32_sub(load_of_strip<kVectors>(x + at, v, lanes), k.center[v]);
            const F32 affine = f32_fma(f32_mul(d, k.invstd[v]), k.slope[v], k.offset[v]);
            return f32_fma(load_of_strip<kVectors>(dy + at, v, lanes), k.scale[v], affine);
        });
}

void rows_backward_apply(const float* dy, const float* x, const ni::Rows& rows, const ni::BackwardArrays& constants,
                         ni::Store store, float* dx) {
    if (store == ni::Store::kCached) return rows_backward_apply_strips(dy, x, rows, constants, dx);
    for (int64_t r = 0; r < rows.count; ++r) {
        const float* gradient = dy + r * rows.stride;
        const float* input = x + r * rows.stride;
        write_run(
            rows.channels, store, dx + r * rows.stride, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                const F32 d = f32_sub(load_lanes(input + i, lanes), load_lanes(constants.center + i, lanes));
                const F32 normalized = f32_mul(d, load_lanes(constants.invstd + i, lanes));
                const F32 affine = f32_fma(normalized, load_lanes(constants.slope + i, lanes),
                                           load_lanes(constants.offset + i, lanes));
                return f32_fma(load_lanes(gradient + i, lanes), load_lanes(constants.scale + i, lanes), affine);
            });
    }
    stream_fence();
}

}  // namespace
