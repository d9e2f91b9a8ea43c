// The shape of a tensor as the per-channel kernels see it.
#pragma once

#include <stdint.h>

namespace ni {

/// N samples of C channels of S positions, in memory order NCS or, if channels_last, NSC.
struct ChannelTensor {
    int64_t batch, channels, spatial;
    bool channels_last;
    int32_t max_threads;

    int64_t values_per_channel() const { return batch * spatial; }
    int64_t elements() const { return batch * channels * spatial; }
    int64_t parameters() const { return channels; }
    /// Values of each kind that the statistics consist of.
    int64_t statistics() const { return channels; }
    /// Rows of channels are the better view when there is one position a sample: every channel gets its own lane.
    bool as_rows() const { return channels_last || spatial == 1; }
};

}  // namespace ni
