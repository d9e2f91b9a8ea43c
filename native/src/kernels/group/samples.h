// The samples of a channels-last tensor, for layers that treat each by itself.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "kernels/channel/channel_pass.h"

namespace ni {

/// How the samples of a channels-last tensor are taken. Enough of them: each by one thread, from the sums to the
/// output. Few, or small ones: some at a time, so few that they stay in the cache from one pass to the next, by all
/// threads.
class Samples {
public:
    explicit Samples(const ChannelTensor& tensor)
        : tensor_(tensor),
          threads_(parallel::threads_for(tensor.elements(), tensor.max_threads)),
          wave_(std::clamp<int64_t>(kWaveElements / (tensor.channels * tensor.spatial), 1, tensor.batch)),
          apart_(shared_out(tensor.batch) && wave_ < 4 * threads_ && tensor.spatial >= kLeastPositions),
          sums_(RowTensors{one(1), kept()}) {}

    /// Samples that working memory is needed for at the same time.
    int64_t kept() const { return apart_ ? tensor_.batch : wave_; }

    /// body(first sample, its place in working memory, tensors, sums) for all samples, one or some at a time.
    template <class Body>
    void for_each(Body body) const {
        if (apart_) {
            auto each = [&](int64_t n) { body(n, n, RowTensors{one(1)}, sums_.from(n)); };
            parallel::for_each(tensor_.batch, threads_, each);
            return;
        }
        for (int64_t first = 0; first < tensor_.batch; first += wave_) {
            const RowTensors wave{one(tensor_.max_threads), std::min(wave_, tensor_.batch - first)};
            body(first, int64_t{0}, wave, sums_.from(0));
        }
    }

private:
    static constexpr int64_t kWaveElements = 1 << 20;
    /// With fewer positions, sums and constants would take more memory than the data.
    static constexpr int64_t kLeastPositions = 16;

    /// Whether this many samples keep all threads busy to the end: all with the same number, or each with several.
    bool shared_out(int64_t samples) const { return samples >= 4 * threads_ || samples % threads_ == 0; }

    ChannelTensor one(int32_t max_threads) const { return {1, tensor_.channels, tensor_.spatial, true, max_threads}; }

    const ChannelTensor& tensor_;
    int32_t threads_;
    int64_t wave_;
    bool apart_;
    RowSumsScratch sums_;
};

}  // namespace ni
