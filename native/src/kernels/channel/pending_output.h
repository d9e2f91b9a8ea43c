// The output of one channel, row or group, written part by part while the next one is reduced. Reading memory in one
// phase and writing it in the next leaves half of what the memory can do unused; the parts of both, in turns, do not.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "kernels/channel/channel_tensor.h"
#include "kernels/kernel_types.h"
#include "parallel/cache.h"
#include "parallel/cut.h"

namespace ni {

/// Elements of a cache line, of the narrowest type.
constexpr int64_t kLineElements = 32;

/// Elements of a tensor before the first one at the start of a cache line.
template <class Data>
int64_t elements_to_line(const Data* tensor) {
    return static_cast<int64_t>(-reinterpret_cast<uintptr_t>(tensor) % 64 / sizeof(Data));
}

/// Whether outputs are to wait for the next reduction: where a tensor is not at hand in the nearest caches, and two
/// channels of each thread fit in the farthest.
inline bool outputs_wait(const ChannelTensor& tensor, int32_t threads) {
    constexpr int64_t kBytes = 8;  // of an element of x and dy together, in float
    return tensor.elements() > parallel::kHintElements &&
           tensor.values_per_channel() * kBytes * 2 * threads <= parallel::last_level_cache_bytes();
}

/// apply(offset, planes, constants) writes a part of an output.
template <class Constants, class Apply>
class PendingOutput {
public:
    /// `to_line` is elements_to_line() of the output tensor: parts end where its cache lines do.
    PendingOutput(Apply& apply, int64_t to_line) : apply_(apply), to_line_(to_line) {}
    PendingOutput(const PendingOutput&) = delete;
    PendingOutput& operator=(const PendingOutput&) = delete;

    /// Sets the planes, the first one `offset` elements from the tensor's start, that are to be written.
    void start(int64_t offset, const Planes& planes, const Constants& constants) {
        offset_ = offset;
        planes_ = planes;
        constants_ = constants;
        plane_ = position_ = 0;
    }

    /// Writes on, by some `elements` more.
    void advance(int64_t elements) {
        while (elements > 0 && plane_ < planes_.count) {
            const int64_t start = offset_ + plane_ * planes_.stride;
            if (planes_.length <= kWhole) {
                const int64_t wanted = parallel::ceil_div(elements, planes_.length);
                const int64_t count = std::min(wanted, planes_.count - plane_);
                apply_(start, Planes{count, planes_.stride, planes_.length}, constants_);
                plane_ += count;
                elements -= count * planes_.length;
                continue;
            }
            const int64_t end = end_of_part(start, elements), length = end - position_;
            apply_(start + position_, Planes{1, length, length}, constants_);
            elements -= length;
            position_ = end == planes_.length ? 0 : end;
            plane_ += end == planes_.length;
        }
    }

    /// Writes what is left.
    void finish() {
        while (plane_ < planes_.count) advance(planes_.count * planes_.length);
    }

private:
    /// Planes up to this length are written as a whole.
    static constexpr int64_t kWhole = 4096;

    /// The end of some `elements` more of the plane at `start`, at the end of a cache line or of the plane.
    int64_t end_of_part(int64_t start, int64_t elements) const {
        if (planes_.length - position_ - elements < kLineElements) return planes_.length;
        const int64_t from_line = start + position_ + elements - to_line_;
        return position_ + elements + parallel::round_up(from_line, kLineElements) - from_line;
    }

    Apply& apply_;
    const int64_t to_line_;
    Constants constants_{};
    Planes planes_{0, 0, 0};
    int64_t offset_ = 0, plane_ = 0, position_ = 0;
};

}  // namespace ni
