// The loops of kernels with an activation: those of channel/runs.inl, in the same order, with as few copies of what is
// done to a vector as they can have. That is more here, and comes in more kinds.
#pragma once

#include "kernels/channel/runs.inl"
#include "kernels/kernel_types.h"
#include "simd/elements.h"

namespace {
namespace ni_activation {

/// Writes vector(offset, lanes) for every element of a run, as write_run() does.
template <class E, class Vector>
NI_INLINE void write_elements(int64_t length, ni::Store store_kind, Data<E>* out, Vector vector) {
    const bool streaming = store_kind == ni::Store::kStreaming && length >= kGroup;
    constexpr uintptr_t kBytes = 16 * sizeof(Data<E>), kLine = ni::kStreamAlignment;
    const auto gap = -reinterpret_cast<uintptr_t>(out) % (kBytes < kLine ? kBytes : kLine) / sizeof(Data<E>);
    // The elements before the first whole vector, then, of the second round, those behind the last one.
    int lanes = streaming ? static_cast<int>(gap) : 0;
    for (int64_t i = 0; i < length; lanes = static_cast<int>(length - i)) {
        if (lanes != 0) Elements<E>::store_first(out + i, vector(i, lanes), lanes);
        for (i += lanes; i + 16 <= length; i += 16) {
            const auto v = vector(i, 16);
            streaming ? Elements<E>::stream(out + i, v) : Elements<E>::store(out + i, v);
        }
    }
}

/// Rows that are written side by side: what is loaded for a vector of channels serves all of them.
constexpr int64_t kRowsTogether = 4;

/// Writes vector(k, offset, lanes) for every vector of every row, with the k = constants(channel, lanes) of its
/// channels.
template <class E, class Constants, class Vector>
NI_INLINE void write_rows(const ni::Rows& rows, ni::Store store_kind, Data<E>* out, Constants constants,
                          Vector vector) {
    constexpr uintptr_t kBytes = 16 * sizeof(Data<E>),
                        kAligned = kBytes < ni::kStreamAlignment ? kBytes : ni::kStreamAlignment;
    const bool streaming = store_kind == ni::Store::kStreaming && rows.channels >= kGroup;
    // What goes past the cache goes in the order of memory.
    const int64_t together = streaming ? 1 : kRowsTogether;
    for (int64_t first = 0; first < rows.count; first += together) {
        const int64_t begin = first * rows.stride, left = rows.count - first;
        const int64_t end = begin + (left < together ? left : together) * rows.stride;
        const auto gap = -reinterpret_cast<uintptr_t>(out + begin) % kAligned / sizeof(Data<E>);
        int lanes = streaming ? static_cast<int>(gap) : 0;
        for (int64_t c = 0; c < rows.channels; lanes = static_cast<int>(rows.channels - c)) {
            if (lanes != 0) {
                const auto k = constants(c, lanes);
                for (int64_t at = begin + c; at < end; at += rows.stride) {
                    Elements<E>::store_first(out + at, vector(k, at, lanes), lanes);
                }
            }
            for (c += lanes; c + 16 <= rows.channels; c += 16) {
                const auto k = constants(c, 16);
                for (int64_t at = begin + c; at < end; at += rows.stride) {
                    const auto v = vector(k, at, 16);
                    streaming ? Elements<E>::stream(out + at, v) : Elements<E>::store(out + at, v);
                }
            }
        }
    }
}

/// Calls take(accumulator, offset, lanes) for every vector of some planes and empty_all(), as reduce_planes() does.
/// ahead(density, offset) is for a group that is fetched.
template <class E, class Ahead, class Take, class EmptyAll>
NI_INLINE void reduce_elements(const ni::Planes& planes, Ahead ahead, Take take, EmptyAll empty_all) {
    const Distance distance(planes);
    int64_t additions = 0;
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t later = distance.from(p);
        for (int64_t begin = 0; begin < planes.length; begin += kSegment) {
            const int64_t left = planes.length - begin, length = left < kSegment ? left : kSegment;
            const int64_t groups = (length + kGroup - 1) / kGroup;
            if (additions + groups > kMostAdditions) {
                empty_all();
                additions = 0;
            }
            additions += groups;
            const int64_t end = p * planes.stride + begin + length;
            for (int64_t i = end - length; i < end; i += kGroup) {
                if (later != 0) planes.count > 1 ? ahead(Dense(), i + later) : ahead(Sparse(), i + later);
                const int64_t rest = end - i;
                if (rest >= 16) take(0, i, 16);
                if (rest >= 32) take(1, i + 16, 16);
                if (rest >= 48) take(2, i + 32, 16);
                const int lanes = rest >= kGroup ? 16 : static_cast<int>(rest % 16);
                if (lanes != 0) take(3, rest >= kGroup ? i + 48 : end - lanes, lanes);
            }
        }
    }
    empty_all();
}

}  // namespace ni_activation
}  // namespace
