// The shape of a tensor as the per-row kernels see it.
#pragma once

#include <stdint.h>

namespace ni {

/// Rows of consecutive elements. A row consists of groups of consecutive elements, each normalized by itself; for
/// LayerNorm and RMSNorm, it is one group. Parameters belong to the elements of a row.
struct RowTensor {
    int64_t rows, length;
    int32_t max_threads;
    int64_t groups = 1;

    int64_t elements() const { return rows * length; }
    int64_t parameters() const { return length; }
    int64_t statistics() const { return rows * groups; }
    int64_t group_length() const { return length / groups; }
};

}  // namespace ni
