// The pieces that work is cut into. A kernel takes one piece at a time.
#pragma once

#include <stdint.h>

namespace ni {

/// Equal runs of consecutive elements at equal distances: the part of a contiguous (NCS) tensor that one channel owns,
/// or a piece of it.
struct Planes {
    int64_t count;   ///< number of runs
    int64_t stride;  ///< elements from the start of one run to the start of the next
    int64_t length;  ///< elements of a run
    /// Elements from the first run to the first run of the piece that will be read after this one: a hint to fetch its
    /// runs meanwhile. 0: none.
    int64_t next = 0;
};

/// Rows of consecutive channels: a piece of a channels-last (NSC) tensor.
struct Rows {
    int64_t count;     ///< number of rows
    int64_t stride;    ///< elements from the start of one row to the start of the next: C
    int64_t channels;  ///< channels of the piece
};

/// Rows that are summed in float before the sums go to double: few, because the sums of values that share their last
/// bits all round the same way.
constexpr int64_t kRowBlock = 16;

/// Channels that a reduction over rows takes at most. A multiple of the vector width.
constexpr int64_t kRowTile = 1024;

}  // namespace ni
