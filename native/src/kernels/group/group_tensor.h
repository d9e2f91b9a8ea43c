// The shape of a tensor as the per-group kernels see it.
#pragma once

#include "kernels/channel/channel_tensor.h"

namespace ni {

/// A tensor whose channels form groups, each normalized in every sample by itself.
struct GroupTensor {
    ChannelTensor all;
    int64_t groups;

    int64_t elements() const { return all.elements(); }
    int64_t parameters() const { return all.channels; }
    int64_t statistics() const { return all.batch * groups; }
    int64_t channels_per_group() const { return all.channels / groups; }
    int64_t values_per_group() const { return channels_per_group() * all.spatial; }
};

}  // namespace ni
