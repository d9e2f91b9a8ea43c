// Kernels of the contiguous layout: a channel is a number of planes, each a run of consecutive elements.
//
// Reductions keep four F32 accumulators. A plane is taken in segments of 1024 elements, and these go to the
// accumulators in groups of 64; of the last group, whole vectors go to accumulators 0, 1, 2 and the partial vector
// to 3. After at most 16 additions, the accumulators are added to sums in double: longer float sums of values that
// share their last bits (few different values, an image of bytes) all round the same way. That order is all that a
// result depends on.
#pragma once

#include "kernels/kernel_types.h"
#include "kernels/screen.inl"

namespace {

constexpr int kAccumulators = 4;
constexpr int64_t kGroup = static_cast<int64_t>(kAccumulators) * ni::kF32Lanes;

/// Calls whole(accumulator, offset) for every vector of a run that starts at `base`, in the order above, and
/// partial(accumulator, offset, lanes) for what is left. ahead(offset) is called for each 256 bytes before they are
/// used.
template <class Ahead, class Whole, class Partial>
NI_INLINE void for_each_vector(int64_t base, int64_t length, Ahead ahead, Whole whole, Partial partial) {
    const int64_t end = base + length;
    int64_t i = base;
    for (; i + kGroup <= end; i += kGroup) {
        ahead(i);
        whole(0, i);
        whole(1, i + 16);
        whole(2, i + 32);
        whole(3, i + 48);
    }
    const int64_t rest = end - i;
    if (rest > 0) ahead(i);
    if (rest >= 16) whole(0, i);
    if (rest >= 32) whole(1, i + 16);
    if (rest >= 48) whole(2, i + 32);
    const int lanes = static_cast<int>(rest % 16);
    if (lanes != 0) partial(3, end - lanes, lanes);
}

/// How far ahead of its use memory is asked for a run, some 8 KiB: the hardware's prefetcher starts anew with every
/// run. After the last run, the runs of the next piece follow.
struct Distance {
    explicit Distance(const ni::Planes& planes) {
        const int64_t wanted = 1 + 2048 / planes.length, runs = wanted < planes.count ? wanted : planes.count;
        if (planes.next == 0) return;
        within = planes.count - runs;
        near = runs * planes.stride;
        far = planes.next + (runs - planes.count) * planes.stride;
    }
    /// Elements from run p to what is to be fetched. 0 where there is nothing.
    int64_t from(int64_t p) const { return p < within ? near : far; }

    int64_t within = 0, near = 0, far = 0;
};

/// Prefetches 256 bytes.
NI_INLINE void prefetch_group(const float* p) {
    ni::prefetch(p);
    ni::prefetch(p + 16);
    ni::prefetch(p + 32);
    ni::prefetch(p + 48);
}

/// Four accumulators in single precision and the sums in double that they are emptied into.
struct Sums {
    F32 part[kAccumulators];
    F64 low, high;
};

NI_INLINE void start(Sums& sums) {
    for (F32& part : sums.part) part = f32_zero();
    sums.low = sums.high = f64_zero();
}

/// Adds the accumulators to the sums in double, pairs in float first, and zeroes them.
NI_INLINE void empty(Sums& sums) {
    const F32 a = f32_add(sums.part[0], sums.part[1]), b = f32_add(sums.part[2], sums.part[3]);
    sums.low = f64_add(sums.low, f64_add(f32_low(a), f32_low(b)));
    sums.high = f64_add(sums.high, f64_add(f32_high(a), f32_high(b)));
    for (F32& part : sums.part) part = f32_zero();
}

NI_INLINE double total(const Sums& sums) { return f64_reduce_add(f64_add(sums.low, sums.high)); }

/// Additions that an accumulator takes before it is emptied, and the elements of that many groups.
constexpr int64_t kMostAdditions = 16;
constexpr int64_t kSegment = kMostAdditions * kGroup;

/// reduce_planes() for runs of at most kGroup elements, kWhole whole vectors and `lanes` more: nothing is left to
/// decide from run to run, which otherwise takes longer than the sums.
template <int kWhole, class Ahead, class Whole, class Partial, class EmptyAll>
NI_INLINE void reduce_short_planes(const ni::Planes& planes, int lanes, Ahead ahead, Whole whole, Partial partial,
                                   EmptyAll empty_all) {
    const Distance distance(planes);
    for (int64_t begin = 0; begin < planes.count; begin += kMostAdditions) {
        const int64_t end = begin + kMostAdditions < planes.count ? begin + kMostAdditions : planes.count;
        for (int64_t p = begin; p < end; ++p) {
            const int64_t base = p * planes.stride, later = distance.from(p);
            if (later != 0) ahead(base + later);
            if (kWhole > 0) whole(0, base);
            if (kWhole > 1) whole(1, base + 16);
            if (kWhole > 2) whole(2, base + 32);
            if (kWhole > 3) whole(3, base + 48);
            if (lanes != 0) partial(3, base + 16 * kWhole, lanes);
        }
        empty_all();
    }
}

/// Goes over all elements as the reductions do: whole and partial as in for_each_vector, ahead(offset) to prefetch 256
/// bytes, empty_all() whenever the accumulators have taken enough, and at the end.
template <class Ahead, class Whole, class Partial, class EmptyAll>
NI_INLINE void reduce_planes(const ni::Planes& planes, Ahead ahead, Whole whole, Partial partial, EmptyAll empty_all) {
    if (planes.length <= kGroup) {
        const int lanes = static_cast<int>(planes.length % 16);
        switch (planes.length / 16) {
            case 0:
                return reduce_short_planes<0>(planes, lanes, ahead, whole, partial, empty_all);
            case 1:
                return reduce_short_planes<1>(planes, lanes, ahead, whole, partial, empty_all);
            case 2:
                return reduce_short_planes<2>(planes, lanes, ahead, whole, partial, empty_all);
            case 3:
                return reduce_short_planes<3>(planes, lanes, ahead, whole, partial, empty_all);
            default:
                return reduce_short_planes<4>(planes, 0, ahead, whole, partial, empty_all);
        }
    }
    const Distance distance(planes);
    int64_t additions = 0;
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t later = distance.from(p);
        for (int64_t begin = 0; begin < planes.length; begin += kSegment) {
            const int64_t rest = planes.length - begin, length = rest < kSegment ? rest : kSegment;
            const int64_t groups = (length + kGroup - 1) / kGroup;
            if (additions + groups > kMostAdditions) {
                empty_all();
                additions = 0;
            }
            additions += groups;
            const auto ahead_of = [&](int64_t i) __attribute__((always_inline)) {
                if (later != 0) ahead(i + later);
            };
            for_each_vector(p * planes.stride + begin, length, ahead_of, whole, partial);
        }
    }
    empty_all();
}

/// Two passes in double: exact enough for any finite input. For blocks that the fast pass is not fit for.
void planes_moments_exact(const float* x, const ni::Planes& planes, ni::Moments* out) {
    const double count = static_cast<double>(planes.count * planes.length);
    F64 low = f64_zero(), high = f64_zero();
    for (int64_t p = 0; p < planes.count; ++p) {
        const float* run = x + p * planes.stride;
        for (int64_t i = 0; i < planes.length; i += 16) {
            const int64_t rest = planes.length - i;
            const F32 v = rest >= 16 ? f32_load(run + i) : f32_load_first(run + i, static_cast<int>(rest));
            low = f64_add(low, f32_low(v));
            high = f64_add(high, f32_high(v));
        }
    }
    const double mean = f64_reduce_add(f64_add(low, high)) / count;
    const F64 center = f64_set(mean);
    F64 sum_low = f64_zero(), sum_high = f64_zero(), square_low = f64_zero(), square_high = f64_zero();
    const auto add = [&](F64 low_d, F64 high_d) {
        sum_low = f64_add(sum_low, low_d);
        sum_high = f64_add(sum_high, high_d);
        square_low = f64_add(square_low, f64_mul(low_d, low_d));
        square_high = f64_add(square_high, f64_mul(high_d, high_d));
    };
    for (int64_t p = 0; p < planes.count; ++p) {
        const float* run = x + p * planes.stride;
        int64_t i = 0;
        for (; i + 16 <= planes.length; i += 16) {
            const F32 v = f32_load(run + i);
            add(f64_sub(f32_low(v), center), f64_sub(f32_high(v), center));
        }
        const int rest = static_cast<int>(planes.length - i);
        if (rest != 0) {
            const F32 v = f32_load_first(run + i, rest);
            const uint32_t lanes = (1U << rest) - 1U;
            add(f64_select(lanes & 255U, f64_sub(f32_low(v), center), f64_zero()),
                f64_select(lanes >> 8, f64_sub(f32_high(v), center), f64_zero()));
        }
    }
    const double residue = f64_reduce_add(f64_add(sum_low, sum_high));
    const double squares = f64_reduce_add(f64_add(square_low, square_high));
    // An infinite mean makes both sums NaN: the mean stays infinite, the variance is NaN.
    out->mean = residue - residue == 0.0 ? mean + residue / count : mean;
    out->m2 = ni_screen::never_negative(squares - residue * residue / count);
}

/// One pass around a value close to the mean: with d = x - shift, sum(d) and sum(d^2) give mean and M2 with hardly any
/// cancellation (Chan, Golub and LeVeque 1983, "shifted data"). The shift is the mean of the first vector.
void planes_moments(const float* x, const ni::Planes& planes, ni::Moments* out) {
    const int first = planes.length < 16 ? static_cast<int>(planes.length) : 16;
    const F32 head = f32_load_first(x, first);
    const float shift = static_cast<float>(f64_reduce_add(f64_add(f32_low(head), f32_high(head))) / first);
    const F32 center = f32_set(shift);
    Sums sums, squares;
    start(sums);
    start(squares);
    const auto add = [&](int a, F32 d) __attribute__((always_inline)) {
        sums.part[a] = f32_add(sums.part[a], d);
        squares.part[a] = f32_fma(d, d, squares.part[a]);
    };
    reduce_planes(
        planes, [&](int64_t i) __attribute__((always_inline)) { prefetch_group(x + i); },
        [&](int a, int64_t i) __attribute__((always_inline)) { add(a, f32_sub(f32_load(x + i), center)); },
        [&](int a, int64_t i, int lanes) __attribute__((always_inline)) {
            add(a, f32_keep_first(f32_sub(f32_load_first(x + i, lanes), center), lanes));
        },
        [&]() __attribute__((always_inline)) {
            empty(sums);
            empty(squares);
        });
    const double count = static_cast<double>(planes.count * planes.length);
    const double sum = total(sums), square = total(squares);
    const double m2 = square - sum * sum / count;
    if (!ni_screen::trusted(m2, square, count)) return planes_moments_exact(x, planes, out);
    out->mean = static_cast<double>(shift) + sum / count;
    out->m2 = m2;
}

/// Writes f(i) for every element of a run, 16 at a time; streaming stores start where the output is aligned.
template <class Vector>
NI_INLINE void write_run(int64_t length, ni::Store store, float* out, Vector vector) {
    int64_t i = 0;
    const bool streaming = store == ni::Store::kStreaming && length >= kGroup;
    if (streaming) {
        const int64_t ahead = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out) % ni::kStreamAlignment) /
                              static_cast<int64_t>(sizeof(float));
        if (ahead != 0) f32_store_first(out, vector(0, static_cast<int>(ahead)), static_cast<int>(ahead));
        for (i = ahead; i + 16 <= length; i += 16) f32_stream(out + i, vector(i, 16));
    } else {
        // Four vectors are read before the first is written: a load that follows a store to an address with the same
        // last 12 bits waits for it, and tensors of one size tend to lie like that.
        for (; i + kGroup <= length; i += kGroup) {
            const F32 a = vector(i, 16), b = vector(i + 16, 16), c = vector(i + 32, 16), d = vector(i + 48, 16);
            f32_store(out + i, a);
            f32_store(out + i + 16, b);
            f32_store(out + i + 32, c);
            f32_store(out + i + 48, d);
        }
        for (; i + 16 <= length; i += 16) f32_store(out + i, vector(i, 16));
    }
    const int lanes = static_cast<int>(length - i);
    if (lanes != 0) f32_store_first(out + i, vector(i, lanes), lanes);
}

/// write_planes() for runs of at most kGroup elements, as reduce_short_planes().
template <int kWhole, class Vector>
NI_INLINE void write_short_planes(const ni::Planes& planes, int lanes, float* out, Vector vector) {
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t base = p * planes.stride;
        F32 results[kAccumulators];
        for (int v = 0; v < kWhole; ++v) results[v] = vector(base + 16 * v, 16);
        F32 last = f32_zero();
        if (lanes != 0) last = vector(base + 16 * kWhole, lanes);
        for (int v = 0; v < kWhole; ++v) f32_store(out + base + 16 * v, results[v]);
        if (lanes != 0) f32_store_first(out + base + 16 * kWhole, last, lanes);
    }
}

/// Writes vector(offset, lanes) for all elements of all planes.
template <class Vector>
NI_INLINE void write_planes(const ni::Planes& planes, ni::Store store, float* out, Vector vector) {
    if (planes.length <= kGroup) {
        const int lanes = static_cast<int>(planes.length % 16);
        switch (planes.length / 16) {
            case 0:
                return write_short_planes<0>(planes, lanes, out, vector);
            case 1:
                return write_short_planes<1>(planes, lanes, out, vector);
            case 2:
                return write_short_planes<2>(planes, lanes, out, vector);
            case 3:
                return write_short_planes<3>(planes, lanes, out, vector);
            default:
                return write_short_planes<4>(planes, 0, out, vector);
        }
    }
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t base = p * planes.stride;
        write_run(
            planes.length, store,
            out + base, [&](int64_t i, int lanes) __attribute__((always_inline)) { return vector(base + i, lanes); });
    }
    if (store == ni::Store::kStreaming) stream_fence();
}

NI_INLINE F32 load_lanes(const float* p, int lanes) { return lanes == 16 ? f32_load(p) : f32_load_first(p, lanes); }

void planes_apply(const float* x, const ni::Planes& planes, const ni::ApplyConstants& constants, ni::Store store,
                  float* y) {
    const F32 center = f32_set(constants.center), scale = f32_set(constants.scale), offset = f32_set(constants.offset);
    write_planes(
        planes, store, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return f32_fma(f32_sub(load_lanes(x + i, lanes), center), scale, offset);
        });
}

NI_INLINE bool is_finite(double v) { return v - v == 0.0; }

/// Replaces gradient sums that are not finite by those in double, element by element: products and sums may have left
/// the range of a float. Those of an infinity or a NaN come out as they are.
void mend_gradient_sums(const float* dy, const float* x, const ni::Planes& planes, float center,
                        ni::GradientSums& sums) {
    if (is_finite(sums.dy) && is_finite(sums.dy_xmu)) return;
    double sum = 0, products = 0;
    for (int64_t p = 0; p < planes.count; ++p) {
        for (int64_t i = p * planes.stride; i < p * planes.stride + planes.length; ++i) {
            const auto g = static_cast<double>(dy[i]);
            sum += g;
            products += g * (static_cast<double>(x[i]) - static_cast<double>(center));
        }
    }
    if (!is_finite(sums.dy)) sums.dy = sum;
    if (!is_finite(sums.dy_xmu)) sums.dy_xmu = products;
}

void planes_backward_reduce(const float* dy, const float* x, const ni::Planes& planes, float center,
                            ni::GradientSums* out) {
    const F32 mean = f32_set(center);
    Sums sums, products;
    start(sums);
    start(products);
    const auto add = [&](int a, F32 g, F32 d) __attribute__((always_inline)) {
        sums.part[a] = f32_add(sums.part[a], g);
        products.part[a] = f32_fma(g, d, products.part[a]);
    };
    reduce_planes(
        planes,
        [&](int64_t i) __attribute__((always_inline)) {
            prefetch_group(dy + i);
            prefetch_group(x + i);
        },
        [&](int a, int64_t i)
            __attribute__((always_inline)) { add(a, f32_load(dy + i), f32_sub(f32_load(x + i), mean)); },
        [&](int a, int64_t i, int lanes) __attribute__((always_inline)) {
            add(a, f32_load_first(dy + i, lanes), f32_keep_first(f32_sub(f32_load_first(x + i, lanes), mean), lanes));
        },
        [&]() __attribute__((always_inline)) {
            empty(sums);
            empty(products);
        });
    *out = {total(sums), total(products)};
    mend_gradient_sums(dy, x, planes, center, *out);
}

void planes_backward_apply(const float* dy, const float* x, const ni::Planes& planes,
                           const ni::BackwardConstants& constants, ni::Store store, float* dx) {
    const F32 center = f32_set(constants.center), invstd = f32_set(constants.invstd), scale = f32_set(constants.scale);
    const F32 slope = f32_set(constants.slope), offset = f32_set(constants.offset);
    write_planes(
        planes, store, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            const F32 normalized = f32_mul(f32_sub(load_lanes(x + i, lanes), center), invstd);
            return f32_fma(load_lanes(dy + i, lanes), scale, f32_fma(normalized, slope, offset));
        });
}

}  // namespace
