// Shapes that take every path of the per-channel passes.
#pragma once

#include <vector>

#include "channel/tensors.h"

namespace ni::test {

/// Small tensors around the boundaries of vectors, both layouts. All have more than one value per channel.
inline std::vector<TensorCase> small_shapes() {
    std::vector<TensorCase> shapes;
    for (const bool channels_last : {false, true})
        for (const int64_t batch : {1, 2, 3, 8})
            for (const int64_t channels : {1, 2, 3, 7, 15, 16, 17, 33, 64, 65, 70})
                for (const int64_t spatial : {1, 2, 5, 16, 49, 64, 65, 100})
                    if (batch * spatial > 1) shapes.push_back({batch, channels, spatial, channels_last});
    return shapes;
}

/// Tensors that are shared out among threads.
inline std::vector<TensorCase> large_shapes() {
    return {
        {1, 2, 150001, false},  // few large planes: all threads on one channel after another
        {4, 3, 30011, false},   // the same with several planes a channel
        {300, 3, 401, false},   // the same with planes put together
        {32, 200, 49, false},   // channel by channel, several planes a block
        {2, 600, 300, false},   // channel by channel
        {1, 300, 1021, false},  // one plane a channel
        {20000, 17, 1, false},  // one position: rows
        {512, 700, 1, false},   // rows, several tiles
        {8, 16, 2500, true},    // rows in 128 chunks
        {3, 600, 200, true},    // several tiles
        {1, 1, 300001, true},   // one channel
        {100, 1030, 3, true},   // tiles with a narrow last one
        {1, 5000, 64, true},    // one chunk
    };
}

}  // namespace ni::test
