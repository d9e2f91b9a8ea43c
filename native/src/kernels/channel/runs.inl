// How kernels go over runs of elements: reductions and outputs of the contiguous layout.
//
// Reductions keep four accumulators of 16 lanes. A plane is taken in segments of 1024 elements, and these go to the
// accumulators in groups of 64; of the last group, whole vectors go to accumulators 0, 1, 2 and the partial vector
// to 3. After at most 16 additions, the accumulators are added to sums in double: longer float sums of values that
// share their last bits (few different values, an image of bytes) all round the same way. That order is all that a
// result depends on.
#pragma once

#include "kernels/kernel_types.h"
#include "simd/elements.h"

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

/// How much of a group to prefetch: all, or every second cache line. In long runs the hardware finds the others, and
/// asking for all of them keeps it from running ahead.
struct Dense {
    static constexpr int64_t kLines = 1;
};
struct Sparse {
    static constexpr int64_t kLines = 2;
};

/// Prefetches a group of elements.
template <class Density, class T>
NI_INLINE void prefetch_group(Density, const T* p) {
    for (int64_t i = 0; i < kGroup; i += Density::kLines * 64 / static_cast<int64_t>(sizeof(T))) ni::prefetch(p + i);
}

/// Four accumulators in the precision of T and the sums in double that they are emptied into.
template <class T>
struct Sums {
    decltype(splat(T())) part[kAccumulators];
    F64 low, high;
};

template <class T>
NI_INLINE void start(Sums<T>& sums) {
    for (auto& part : sums.part) set_zero(part);
    sums.low = sums.high = f64_zero();
}

/// Adds the accumulators to the sums in double, pairs first, and zeroes them.
template <class T>
NI_INLINE void empty(Sums<T>& sums) {
    const auto a = add(sums.part[0], sums.part[1]), b = add(sums.part[2], sums.part[3]);
    sums.low = f64_add(sums.low, f64_add(low(a), low(b)));
    sums.high = f64_add(sums.high, f64_add(high(a), high(b)));
    for (auto& part : sums.part) set_zero(part);
}

template <class T>
NI_INLINE double total(const Sums<T>& sums) {
    return f64_reduce_add(f64_add(sums.low, sums.high));
}

/// Additions that an accumulator takes before it is emptied, and the elements of that many groups.
constexpr int64_t kMostAdditions = 16;
constexpr int64_t kSegment = kMostAdditions * kGroup;

/// Whether kernels have code of their own for runs of at most kGroup elements: for float alone, because it is five
/// times as much code.
template <class E>
constexpr bool kShortRuns = false;
template <>
constexpr bool kShortRuns<ni::Float32> = true;

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
            if (later != 0) ahead(Dense(), base + later);
            if (kWhole > 0) whole(0, base);
            if (kWhole > 1) whole(1, base + 16);
            if (kWhole > 2) whole(2, base + 32);
            if (kWhole > 3) whole(3, base + 48);
            if (lanes != 0) partial(3, base + 16 * kWhole, lanes);
        }
        empty_all();
    }
}

/// reduce_planes() for runs of any length.
template <class Density, class Ahead, class Whole, class Partial, class EmptyAll>
NI_INLINE void reduce_long_planes(const ni::Planes& planes, Ahead ahead, Whole whole, Partial partial,
                                  EmptyAll empty_all) {
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
                if (later != 0) ahead(Density(), i + later);
            };
            for_each_vector(p * planes.stride + begin, length, ahead_of, whole, partial);
        }
    }
    empty_all();
}

/// Goes over all elements as the reductions do: whole and partial as in for_each_vector, ahead(density, offset) to
/// prefetch a group, empty_all() whenever the accumulators have taken enough, and at the end.
template <class E, class Ahead, class Whole, class Partial, class EmptyAll>
NI_INLINE void reduce_planes(const ni::Planes& planes, Ahead ahead, Whole whole, Partial partial, EmptyAll empty_all) {
    if (kShortRuns<E> && planes.length <= kGroup) {
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
    // A piece of one run is a part of a long plane, or a row that others follow.
    if (kShortRuns<E> && planes.count > 1) {
        reduce_long_planes<Dense>(planes, ahead, whole, partial, empty_all);
    } else {
        reduce_long_planes<Sparse>(planes, ahead, whole, partial, empty_all);
    }
}

/// Writes f(i) for every element of a run, 16 at a time; streaming stores start where the output is aligned.
template <class E, class Vector>
NI_INLINE void write_run(int64_t length, ni::Store store_kind, Data<E>* out, Vector vector) {
    int64_t i = 0;
    const bool streaming = store_kind == ni::Store::kStreaming && length >= kGroup;
    if (streaming) {
        // A vector is streamed as a whole, and aligned to its own size or to a cache line.
        constexpr uintptr_t kBytes = 16 * sizeof(Data<E>), kLine = ni::kStreamAlignment;
        const auto gap = -reinterpret_cast<uintptr_t>(out) % (kBytes < kLine ? kBytes : kLine);
        const int64_t ahead = static_cast<int64_t>(gap / sizeof(Data<E>));
        if (ahead != 0) Elements<E>::store_first(out, vector(0, static_cast<int>(ahead)), static_cast<int>(ahead));
        for (i = ahead; i + 16 <= length; i += 16) Elements<E>::stream(out + i, vector(i, 16));
    } else {
        // Four vectors are read before the first is written: a load that follows a store to an address with the same
        // last 12 bits waits for it, and tensors of one size tend to lie like that.
        for (; i + kGroup <= length; i += kGroup) {
            const auto a = vector(i, 16), b = vector(i + 16, 16), c = vector(i + 32, 16), d = vector(i + 48, 16);
            Elements<E>::store(out + i, a);
            Elements<E>::store(out + i + 16, b);
            Elements<E>::store(out + i + 32, c);
            Elements<E>::store(out + i + 48, d);
        }
        for (; i + 16 <= length; i += 16) Elements<E>::store(out + i, vector(i, 16));
    }
    const int lanes = static_cast<int>(length - i);
    if (lanes != 0) Elements<E>::store_first(out + i, vector(i, lanes), lanes);
}

/// write_planes() for runs of at most kGroup elements, as reduce_short_planes().
template <class E, int kWhole, class Vector>
NI_INLINE void write_short_planes(const ni::Planes& planes, int lanes, Data<E>* out, Vector vector) {
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t base = p * planes.stride;
        decltype(vector(base, 16)) results[kAccumulators], last;
        for (int v = 0; v < kWhole; ++v) results[v] = vector(base + 16 * v, 16);
        if (lanes != 0) last = vector(base + 16 * kWhole, lanes);
        for (int v = 0; v < kWhole; ++v) Elements<E>::store(out + base + 16 * v, results[v]);
        if (lanes != 0) Elements<E>::store_first(out + base + 16 * kWhole, last, lanes);
    }
}

/// Writes vector(offset, lanes) for all elements of all planes.
template <class E, class Vector>
NI_INLINE void write_planes(const ni::Planes& planes, ni::Store store_kind, Data<E>* out, Vector vector) {
    if (kShortRuns<E> && planes.length <= kGroup) {
        const int lanes = static_cast<int>(planes.length % 16);
        switch (planes.length / 16) {
            case 0:
                return write_short_planes<E, 0>(planes, lanes, out, vector);
            case 1:
                return write_short_planes<E, 1>(planes, lanes, out, vector);
            case 2:
                return write_short_planes<E, 2>(planes, lanes, out, vector);
            case 3:
                return write_short_planes<E, 3>(planes, lanes, out, vector);
            default:
                return write_short_planes<E, 4>(planes, 0, out, vector);
        }
    }
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t base = p * planes.stride;
        write_run<E>(
            planes.length, store_kind,
            out + base, [&](int64_t i, int lanes) __attribute__((always_inline)) { return vector(base + i, lanes); });
    }
}

}  // namespace
