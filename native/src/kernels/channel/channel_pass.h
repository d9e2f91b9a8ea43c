// The shape that all per-channel work has: reduce every channel, finish its sums, apply what came out to its elements.
//
// Contiguous tensors: a channel is reduced and applied by one thread while it sits in that thread's cache; where
// channels are few and large, all threads work on one channel after another. Channels-last tensors are reduced as a
// whole, then applied as a whole. Partial sums are folded in index order either way, so that all of this changes no
// bit.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "kernels/channel/channel_tensor.h"
#include "kernels/channel/pending_output.h"
#include "kernels/kernel_types.h"
#include "kernels/scratch.h"
#include "parallel/cache.h"
#include "parallel/cut.h"
#include "parallel/parallel.h"

namespace ni {

/// Elements that a thread takes at least before it asks for more work.
constexpr int64_t kLeastShare = 16384;

/// Positions of a plane that counts as small: some cache lines.
constexpr int64_t kSmallPlane = 64;

/// Streaming stores for an output that would push everything else out of the cache before anyone reads it, unless it is
/// an input, and so in the cache already.
template <class Data>
Store store_for(int64_t elements, const Data* output, const Data* input, const Data* other_input = nullptr) {
    const bool in_place = output == input || output == other_input;
    const auto bytes = elements * static_cast<int64_t>(sizeof(Data));
    return !in_place && bytes > parallel::last_level_cache_bytes() / 2 ? Store::kStreaming : Store::kCached;
}

/// What `count` more values weigh beside the `before` values before them.
struct FoldWeights {
    FoldWeights(double before, double count)
        : first(before == 0), share(first ? 1 : count / (before + count)), cross(before * share) {}
    bool first;
    double share;  ///< of the more values in all
    double cross;  ///< before * count / (before + count)
};

/// Folds the moments of more values into those of the values before them (Chan, Golub and LeVeque 1979).
inline void fold(Moments& sums, const Moments& more, const FoldWeights& weights) {
    if (weights.first) {
        sums = more;
        return;
    }
    const double step = more.mean - sums.mean;
    // Infinite means add up as sums would: to infinity, or to NaN where the signs differ. M2 is NaN already.
    sums.mean += step - step == 0 ? step * weights.share : more.mean;
    sums.m2 += more.m2 + step * step * weights.cross;
}

/// Adds gradient sums.
inline void fold(GradientSums& sums, const GradientSums& more, const FoldWeights&) {
    sums.dy += more.dy;
    sums.dy_xmu += more.dy_xmu;
}

/// The folded sums of one channel. reduce(channel, offset, planes) gives the Partial of a block; before each, another
/// channel's output is written on by as much.
template <class Partial, class Reduce, class Pending>
Partial reduce_channel(const ChannelTensor& tensor, const parallel::PlaneBlocks& blocks, int64_t c, Reduce& reduce,
                       Pending& pending) {
    Partial sums{};
    double before = 0;
    for (int64_t b = 0; b < blocks.count(); ++b) {
        const auto block = blocks.at(b, c + 1 < tensor.channels);
        pending.advance(block.planes.count * block.planes.length);
        fold(sums, reduce(c, c * tensor.spatial + block.offset, block.planes), {before, block.elements()});
        before += block.elements();
    }
    return sums;
}

template <class Partial, class Reduce>
Partial reduce_channel(const ChannelTensor& tensor, const parallel::PlaneBlocks& blocks, int64_t c, Reduce& reduce) {
    struct {
        void advance(int64_t) {}
    } nothing;
    return reduce_channel<Partial>(tensor, blocks, c, reduce, nothing);
}

/// Whether a pass writes an output, and elements_to_line() of it.
struct Output {
    bool wanted;
    int64_t to_line = 0;
};

/// planes_pass with whole channels for each thread, which are applied while they are in its cache: at once, or, where
/// they come from memory and go there, while the next channel is reduced.
template <class Partial, class Reduce, class Finish, class Apply>
void planes_pass_by_channels(const ChannelTensor& tensor, int32_t threads, const Output& output, Reduce& reduce,
                             Finish& finish, Apply& apply) {
    const parallel::PlaneBlocks blocks(tensor.batch, tensor.channels, tensor.spatial);
    const int64_t share = std::clamp<int64_t>(kLeastShare / tensor.values_per_channel(), 1,
                                              std::max<int64_t>(1, tensor.channels / threads));
    const bool waits = output.wanted && outputs_wait(tensor, threads);
    auto body = [&](parallel::Claims& claims) {
        PendingOutput<decltype(finish(0, Partial{})), Apply> pending(apply, output.to_line);
        for (int64_t piece; (piece = claims.next()) != parallel::Pieces::kNone;) {
            const int64_t end = std::min(tensor.channels, (piece + 1) * share);
            for (int64_t c = piece * share; c < end; ++c) {
                const Partial sums = reduce_channel<Partial>(tensor, blocks, c, reduce, pending);
                pending.finish();
                pending.start(c * tensor.spatial, blocks.whole(), finish(c, sums));
                if (!waits) pending.finish();
            }
        }
        pending.finish();
    };
    parallel::on_threads(parallel::ceil_div(tensor.channels, share), threads, body);
}

/// planes_pass with all threads on one channel after another.
template <class Partial, class Reduce, class Finish, class Apply>
void planes_pass_by_blocks(const ChannelTensor& tensor, int32_t threads, bool writes, Reduce& reduce, Finish& finish,
                           Apply& apply) {
    const parallel::PlaneBlocks blocks(tensor.batch, tensor.channels, tensor.spatial);
    const Scratch<Partial> partials(blocks.count());
    for (int64_t c = 0; c < tensor.channels; ++c) {
        const int64_t start = c * tensor.spatial;
        auto reduce_block = [&](int64_t b) {
            const auto block = blocks.at(b, false);
            partials.data()[b] = reduce(c, start + block.offset, block.planes);
        };
        parallel::for_each(blocks.count(), threads, reduce_block);
        const Partial* next = partials.data();
        auto reduced = [&](int64_t, int64_t, const Planes&) { return *next++; };
        const auto constants = finish(c, reduce_channel<Partial>(tensor, blocks, c, reduced));
        if (!writes) continue;
        auto apply_block = [&](int64_t b) {
            const auto block = blocks.at(b, false);
            apply(start + block.offset, block.planes, constants);
        };
        parallel::for_each(blocks.count(), threads, apply_block);
    }
}

/// Contiguous tensors in memory order: body(begin, end) for runs of elements, either of some planes or of a part of
/// one.
template <class Body>
void runs_map(const ChannelTensor& tensor, Body body) {
    const int64_t planes = tensor.batch * tensor.channels, length = tensor.spatial;
    const int64_t parts = parallel::ceil_div(length, 4 * kLeastShare);
    const int64_t part_length = parallel::ceil_div(length, parts);
    const int64_t share = std::max<int64_t>(1, kLeastShare / length);
    auto each = [&](int64_t piece) {
        const int64_t first = piece / parts * share, part = piece % parts * part_length;
        const int64_t end = parts > 1 ? first * length + std::min(part + part_length, length)
                                      : std::min(planes, first + share) * length;
        body(first * length + part, end);
    };
    const int32_t threads = parallel::threads_for(tensor.elements(), tensor.max_threads);
    parallel::for_each(parallel::ceil_div(planes, share) * parts, threads, each);
}

/// The planes, or parts of them, that the elements [begin, end) consist of: body(offset, planes, plane).
template <class Body>
void for_each_plane(int64_t begin, int64_t end, int64_t spatial, Body body) {
    for (int64_t plane = begin / spatial; begin < end; ++plane) {
        const int64_t length = std::min(end, (plane + 1) * spatial) - begin;
        body(begin, Planes{1, length, length}, plane);
        begin += length;
    }
}

/// Contiguous tensors, element by element in memory order: apply(offset, planes, channel).
template <class Apply>
void planes_map(const ChannelTensor& tensor, Apply apply) {
    runs_map(tensor, [&](int64_t begin, int64_t end) {
        for_each_plane(begin, end, tensor.spatial, [&](int64_t offset, const Planes& planes, int64_t plane) {
            apply(offset, planes, plane % tensor.channels);
        });
    });
}

/// planes_pass for planes so small that a channel is a scatter of short runs over the whole tensor: reading them that
/// way pays, writing them does not. So all channels are reduced first, and the output is written in memory order.
template <class Partial, class Reduce, class Finish, class Apply>
void planes_pass_in_two(const ChannelTensor& tensor, int32_t threads, bool writes, Reduce& reduce, Finish& finish,
                        Apply& apply) {
    const parallel::PlaneBlocks blocks(tensor.batch, tensor.channels, tensor.spatial);
    const Scratch<decltype(finish(0, Partial{}))> constants(tensor.channels);
    const int64_t share = std::max<int64_t>(1, kLeastShare / tensor.values_per_channel());
    auto body = [&](int64_t piece) {
        const int64_t end = std::min(tensor.channels, (piece + 1) * share);
        for (int64_t c = piece * share; c < end; ++c) {
            constants.data()[c] = finish(c, reduce_channel<Partial>(tensor, blocks, c, reduce));
        }
    };
    parallel::for_each(parallel::ceil_div(tensor.channels, share), threads, body);
    if (!writes) return;
    planes_map(tensor,
               [&](int64_t offset, const Planes& planes, int64_t c) { apply(offset, planes, constants.data()[c]); });
}

/// Contiguous tensors, all three steps. reduce(channel, offset, planes) gives the Partial of a block; finish(channel,
/// partial) turns the folded one into constants; apply(offset, planes, constants) uses them, unless
/// nothing is to be written. Offsets are in elements.
template <class Partial, class Reduce, class Finish, class Apply>
void planes_pass(const ChannelTensor& tensor, const Output& output, Reduce reduce, Finish finish, Apply apply) {
    const int32_t threads = parallel::threads_for(tensor.elements(), tensor.max_threads);
    if (tensor.batch > 1 && tensor.spatial <= kSmallPlane && tensor.elements() > parallel::kHintElements) {
        planes_pass_in_two<Partial>(tensor, threads, output.wanted, reduce, finish, apply);
    } else if (threads == 1 || tensor.channels >= 4 * threads || tensor.values_per_channel() < kLeastShare) {
        planes_pass_by_channels<Partial>(tensor, threads, output, reduce, finish, apply);
    } else {
        planes_pass_by_blocks<Partial>(tensor, threads, output.wanted, reduce, finish, apply);
    }
}

/// A number of channels-last tensors of one shape, one after another: the samples of a layer that treats each by
/// itself, or a single tensor. `channel` counts through all of them.
struct RowTensors {
    ChannelTensor one;
    int64_t count = 1;

    int64_t channels() const { return count * one.channels; }
    int32_t threads() const { return parallel::threads_for(count * one.elements(), one.max_threads); }
    parallel::RowGrid grid(int32_t threads) const {
        // A merge of moments takes as long as sixteen rows or so.
        constexpr int64_t kLeastChunkRows = 256;
        return {one.values_per_channel(), one.channels, count >= 4 * threads ? 1 : threads, kLeastChunkRows};
    }
    /// body(tensor, piece) for every piece of every tensor's grid, `piece` with offset and channel counted through.
    template <class Body>
    void for_each_piece(Body body) const {
        const int32_t team = threads();
        const parallel::RowGrid pieces = grid(team);
        auto each = [&](int64_t index) {
            const int64_t t = index / pieces.pieces();
            auto piece = pieces.at(index % pieces.pieces());
            piece.offset += t * one.elements();
            piece.channel += t * one.channels;
            body(t, piece);
        };
        parallel::for_each(count * pieces.pieces(), team, each);
    }
};

/// Where two sums a channel go, for every chunk of rows of every tensor.
struct RowSums {
    double *first, *second;
};

/// Memory for them. Chunks, unlike tiles, do not depend on the threads.
class RowSumsScratch {
public:
    explicit RowSumsScratch(const RowTensors& tensors) : RowSumsScratch(tensors.count, tensors.grid(1)) {}

    /// That of a tensor and those after it.
    RowSums from(int64_t tensor) const { return {first_.data() + tensor * each_, second_.data() + tensor * each_}; }

private:
    RowSumsScratch(int64_t count, const parallel::RowGrid& grid)
        : each_(grid.chunks() * grid.padded_channels()), first_(count, each_), second_(count, each_) {}

    int64_t each_;
    Scratch<double> first_, second_;
};

/// Channels-last tensors, the reduction. reduce(offset, rows, channel, first, second) writes two sums a channel, which
/// are the members of a Partial; finish(channel, partial) takes what they fold to.
template <class Partial, class Reduce, class Finish>
void rows_reduce(const RowTensors& tensors, const RowSums& sums, Reduce reduce, Finish finish) {
    const int32_t threads = tensors.threads();
    const parallel::RowGrid grid = tensors.grid(threads);
    const int64_t channels = tensors.one.channels, stride = grid.padded_channels(), chunks = grid.chunks();
    double *const first = sums.first, *const second = sums.second;

    tensors.for_each_piece([&](int64_t t, const parallel::RowGrid::Piece& piece) {
        const int64_t at = (t * chunks + piece.chunk) * stride + piece.channel - t * channels;
        reduce(piece.offset, piece.rows, piece.channel, first + at, second + at);
    });

    constexpr int64_t kTile = 64;  // channels that are folded side by side: they share the weights
    const int64_t tiles = parallel::ceil_div(channels, kTile);
    auto finish_tile = [&](int64_t index) {
        const int64_t t = index / tiles, begin = index % tiles * kTile, end = std::min(channels, begin + kTile);
        Partial folded[kTile];
        std::fill(folded, folded + (end - begin), Partial{});
        double before = 0;
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            const auto rows = static_cast<double>(grid.rows_of_chunk(chunk));
            const FoldWeights weights(before, rows);
            for (int64_t c = begin; c < end; ++c) {
                const int64_t at = (t * chunks + chunk) * stride + c;
                fold(folded[c - begin], Partial{first[at], second[at]}, weights);
            }
            before += rows;
        }
        for (int64_t c = begin; c < end; ++c) finish(t * channels + c, folded[c - begin]);
    };
    parallel::for_each(tensors.count * tiles, threads, finish_tile);
}

/// Channels-last tensors, element by element: apply(offset, rows, channel).
template <class Apply>
void rows_map(const RowTensors& tensors, Apply apply) {
    tensors.for_each_piece(
        [&](int64_t, const parallel::RowGrid::Piece& piece) { apply(piece.offset, piece.rows, piece.channel); });
}

}  // namespace ni
