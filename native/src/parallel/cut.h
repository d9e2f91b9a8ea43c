// How per-channel work is cut into pieces. Whatever decides the order of additions is cut by size alone, never by the
// number of threads, because partial sums are merged piece by piece in index order. Tiles of channels may follow the
// threads: channels never meet.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "parallel/pieces.h"

namespace ni::parallel {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t multiple) { return ceil_div(a, multiple) * multiple; }

/// Elements that a reduction kernel takes at once: 16 KiB, half of the smallest first-level cache, because moments may
/// be taken twice, and so few that sums in single precision stay good.
constexpr int64_t kBlockElements = 4096;

/// Tensors up to this size, 2 MiB, stay close to a processor from one pass to the next.
constexpr int64_t kHintElements = 1 << 19;

/// One channel of a contiguous tensor as blocks. Planes longer than a block are cut into equal parts of whole vectors;
/// shorter ones are put together, so that a merge is paid once a block and not once a plane.
class PlaneBlocks {
public:
    PlaneBlocks(int64_t batch, int64_t channels, int64_t spatial)
        : planes_{batch, channels * spatial, spatial},
          parts_(ceil_div(spatial, kBlockElements)),
          part_length_(round_up(ceil_div(spatial, parts_), 16)),
          together_(std::max<int64_t>(1, kBlockElements / spatial)),
          hints_(batch * channels * spatial > kHintElements) {
        // Rounding the length up to whole vectors can make the last part superfluous.
        parts_ = ceil_div(spatial, part_length_);
    }

    /// All planes of a channel, for work that needs no cutting.
    const Planes& whole() const { return planes_; }
    int64_t count() const { return parts_ > 1 ? planes_.count * parts_ : ceil_div(planes_.count, together_); }

    struct Block {
        int64_t offset;  ///< elements from the channel's first one
        Planes planes;
        double elements() const { return static_cast<double>(planes.count * planes.length); }
    };

    /// `more_channels`: whether another channel follows this one in memory.
    Block at(int64_t index, bool more_channels) const {
        const int64_t begin = start(index), next = hint(index, more_channels);
        if (parts_ > 1) {
            const int64_t rest = planes_.length - index % parts_ * part_length_;
            return {begin, {1, planes_.stride, std::min(part_length_, rest), next}};
        }
        const int64_t rest = planes_.count - index * together_;
        return {begin, {std::min(together_, rest), planes_.stride, planes_.length, next}};
    }

private:
    /// Elements from the channel's first one to the first one of a block.
    int64_t start(int64_t index) const {
        return parts_ > 1 ? index / parts_ * planes_.stride + index % parts_ * part_length_
                          : index * together_ * planes_.stride;
    }

    /// From a block to what is read after it: the next block, then the next channel. Nothing where that is where the
    /// block ends, because the hardware's prefetcher finds it by itself.
    int64_t hint(int64_t index, bool more_channels) const {
        if (!hints_ || (parts_ > 1 && (index + 1) % parts_ != 0)) return 0;
        if (index + 1 < count()) return start(index + 1) - start(index);
        return more_channels ? planes_.length - start(index) : 0;
    }

    Planes planes_;
    int64_t parts_, part_length_, together_;
    bool hints_;
};

/// A channels-last tensor as a grid: chunks of rows by tiles of channels. Chunks are numerous enough to share out and
/// few enough for their partial results, 16 bytes a channel, to be small beside the data: at most a sixteenth of it,
/// unless there are fewer than 64 rows. Tiles are as wide as a kernel takes, so that memory is read in order, unless
/// there are too few chunks for the threads.
class RowGrid {
public:
    static constexpr int64_t kMostChunks = 128;
    static constexpr int64_t kLeastChunkRows = 4 * kRowBlock;

    /// `least_chunk_rows` is more than kLeastChunkRows where merging chunks takes long beside the work on them.
    RowGrid(int64_t rows, int64_t channels, int32_t threads, int64_t least_chunk_rows = kLeastChunkRows)
        : rows_(rows),
          channels_(channels),
          chunk_rows_(std::max(round_up(ceil_div(rows, kMostChunks), kRowBlock), least_chunk_rows)),
          tile_(kRowTile) {
        const int64_t wanted = threads > 1 ? ceil_div(4 * threads, chunks()) : 1;
        tile_ = std::min(kRowTile, round_up(ceil_div(channels, wanted), kLeastTile));
    }

    int64_t chunks() const { return ceil_div(rows_, chunk_rows_); }
    int64_t tiles() const { return ceil_div(channels_, tile_); }
    int64_t pieces() const { return chunks() * tiles(); }
    /// Channels with room for whole vectors: the distance between two chunks' partial results.
    int64_t padded_channels() const { return round_up(channels_, 16); }
    int64_t rows_of_chunk(int64_t chunk) const { return std::min(chunk_rows_, rows_ - chunk * chunk_rows_); }

    struct Piece {
        int64_t chunk;
        int64_t channel;  ///< the first one
        int64_t offset;   ///< elements from the tensor's first one
        Rows rows;
    };

    Piece at(int64_t index) const {
        const int64_t chunk = index / tiles(), channel = index % tiles() * tile_;
        return {chunk,
                channel,
                chunk * chunk_rows_ * channels_ + channel,
                {rows_of_chunk(chunk), channels_, std::min(tile_, channels_ - channel)}};
    }

private:
    /// Channels of the narrowest tile: whole cache lines, and some of them.
    static constexpr int64_t kLeastTile = 64;

    int64_t rows_, channels_, chunk_rows_, tile_;
};

}  // namespace ni::parallel
