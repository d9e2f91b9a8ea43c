#include "kernels/row/row_norm.h"

#include <string.h>

#include <algorithm>

#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"

namespace ni {
namespace {

/// A backward pass. Groups are counted through the rows. Sums of columns, for the parameters' gradients, are taken
/// chunk by chunk of rows, and chunks are folded in order.
template <class E>
class RowBackward {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

public:
    RowBackward(const RowNorm<E>& norm, const Data* dy, const Data* x, const Parameter* weight,
                const double* saved_mean, const double* saved_invstd, Data* dx,
                const ParameterGradients<Parameter>& gradients)
        : kernels_(norm.kernels),
          tensor_(norm.tensor),
          centered_(norm.centered),
          dy_(dy),
          x_(x),
          weight_(weight),
          mean_(saved_mean),
          invstd_(saved_invstd),
          dx_(dx),
          gradients_(gradients),
          store_(store_for(tensor_.elements(), dx, dy, x)),
          threads_(parallel::threads_for(tensor_.elements(), tensor_.max_threads)),
          grid_(tensor_.rows, tensor_.length, threads_),
          blocks_(1, tensor_.statistics(), tensor_.group_length()),
          sums_columns_(gradients.weight != nullptr || gradients.bias != nullptr),
          by_row_(sums_columns_ ? tensor_.statistics() : 0),
          sum_dy_(sums_columns_ ? grid_.chunks() : 0, grid_.padded_channels()),
          sum_dy_xhat_(sums_columns_ ? grid_.chunks() : 0, grid_.padded_channels()),
          constants_(by_chunks() || !dx ? 0 : tensor_.statistics()) {}

    void run() {
        if (by_chunks()) {
            auto body = [&](parallel::Claims& claims) { run_chunks(claims); };
            parallel::on_threads(grid_.chunks(), threads_, body);
        } else {
            run_in_steps();
        }
        if (sums_columns_) finish_columns();
    }

private:
    /// Whole rows for each thread, which sees them once; with fewer chunks than threads, all of them work on each row.
    bool by_chunks() const { return grid_.chunks() >= threads_; }
    double mean_of(int64_t group) const { return centered_ ? mean_[group] : 0.0; }
    int64_t chunk_start(int64_t chunk) const { return chunk * grid_.rows_of_chunk(0); }
    const Parameter* weight_at(int64_t offset) const { return weight_ ? weight_ + offset % tensor_.length : nullptr; }

    GradientSums reduce(int64_t group, int64_t offset, const Planes& run) const {
        GradientSums sums;
        const auto center = static_cast<Constant>(mean_of(group));
        if (weight_) {
            kernels_.affine_backward_reduce(dy_ + offset, x_ + offset, run, center, weight_at(offset), &sums);
        } else {
            kernels_.planes_backward_reduce(dy_ + offset, x_ + offset, run, center, &sums);
        }
        return sums;
    }

    BackwardConstants<Constant> constants_of(int64_t group, const GradientSums& around_center) const {
        const auto count = static_cast<double>(tensor_.group_length());
        const double mean = mean_of(group), invstd = invstd_[group];
        const GradientSums sums = recentered<Constant>(around_center, mean);
        return backward_constants<Constant>(mean, invstd, invstd, invstd, centered_ ? sums.dy / count : 0.0,
                                            sums.dy_xmu / count);
    }

    void apply(int64_t offset, int64_t length, const BackwardConstants<Constant>& constants) const {
        if (weight_) {
            kernels_.affine_backward_apply(dy_ + offset, x_ + offset, length, constants, weight_at(offset), store_,
                                           dx_ + offset);
        } else {
            kernels_.planes_backward_apply(dy_ + offset, x_ + offset, {1, length, length}, constants, store_,
                                           dx_ + offset);
        }
    }

    /// The constants with which columns normalize x; group by group of the row, and there row by row of a chunk.
    int64_t by_row_index(int64_t row, int64_t group) const {
        const int64_t chunk = row / grid_.rows_of_chunk(0), start = chunk_start(chunk);
        return start * tensor_.groups + group * grid_.rows_of_chunk(chunk) + row - start;
    }

    void set_by_row(int64_t row) {
        for (int64_t g = 0; g < tensor_.groups; ++g) {
            const int64_t group = row * tensor_.groups + g;
            by_row_.set(by_row_index(row, g), apply_constants<Constant>(mean_of(group), invstd_[group], 1, 0));
        }
    }

    /// Adds some rows of a chunk, and `columns` of them from `column` on, to the chunk's sums.
    void sum_columns(int64_t chunk, int64_t row, int64_t count, int64_t column, int64_t columns) {
        const int64_t length = tensor_.group_length(), end = column + columns;
        while (column < end) {
            const int64_t group = column / length, stop = std::min(end, (group + 1) * length);
            const int64_t offset = row * tensor_.length + column;
            const int64_t at = chunk * grid_.padded_channels() + column;
            columns_kernel(offset, {count, tensor_.length, stop - column}, by_row_.from(by_row_index(row, group)), at);
            column = stop;
        }
    }

    void columns_kernel(int64_t offset, const Rows& rows, const ApplyArrays<Constant>& by_row, int64_t at) {
        // The kernel writes whole vectors: where another group's sums follow, it works on a copy.
        if (rows.channels % 16 == 0 || rows.channels == tensor_.length) {
            kernels_.columns_backward_reduce(dy_ + offset, x_ + offset, rows, by_row, sum_dy_.data() + at,
                                             sum_dy_xhat_.data() + at);
            return;
        }
        double dy[kRowTile], dy_xhat[kRowTile];
        for (int64_t c = 0; c < rows.channels; c += kRowTile) {
            const int64_t width = std::min(kRowTile, rows.channels - c);
            const auto bytes = static_cast<size_t>(width) * sizeof(double);
            memcpy(dy, sum_dy_.data() + at + c, bytes);
            memcpy(dy_xhat, sum_dy_xhat_.data() + at + c, bytes);
            for (int64_t i = width; i % 16 != 0; ++i) dy[i] = dy_xhat[i] = 0;
            kernels_.columns_backward_reduce(dy_ + offset + c, x_ + offset + c, {rows.count, rows.stride, width},
                                             by_row, dy, dy_xhat);
            memcpy(sum_dy_.data() + at + c, dy, bytes);
            memcpy(sum_dy_xhat_.data() + at + c, dy_xhat, bytes);
        }
    }

    void clear_columns(int64_t chunk) {
        const auto bytes = static_cast<size_t>(grid_.padded_channels()) * sizeof(double);
        memset(sum_dy_.data() + chunk * grid_.padded_channels(), 0, bytes);
        memset(sum_dy_xhat_.data() + chunk * grid_.padded_channels(), 0, bytes);
    }

    /// All of some chunks, some rows at a time, so that columns find them in the cache.
    void run_chunks(parallel::Claims& claims) {
        auto apply_part = [&](int64_t offset, const Planes& run, const BackwardConstants<Constant>& constants) {
            apply(offset, run.length, constants);
        };
        PendingRow<decltype(apply_part)> pending(apply_part, elements_to_line(dx_));
        for (int64_t chunk; (chunk = claims.next()) != parallel::Pieces::kNone;) run_chunk(chunk, pending);
        pending.finish();
    }

    template <class Apply>
    using PendingRow = PendingOutput<BackwardConstants<Constant>, Apply>;

    /// In place, columns come before the gradients that overwrite what they read, and no row waits.
    template <class Apply>
    void run_chunk(int64_t chunk, PendingRow<Apply>& pending) {
        const int64_t begin = chunk_start(chunk), end = begin + grid_.rows_of_chunk(chunk);
        const bool in_place = dx_ == dy_ || dx_ == x_;
        const bool waits = !in_place && outputs_wait(groups(), threads_);
        if (sums_columns_) clear_columns(chunk);
        for (int64_t row = begin; row < end; row += kRowBlock) {
            const int64_t count = std::min(kRowBlock, end - row);
            if (dx_ && !in_place) run_rows(row, count, pending, waits);
            if (sums_columns_) {
                for (int64_t r = row; r < row + count; ++r) set_by_row(r);
                sum_columns(chunk, row, count, 0, tensor_.length);
            }
            if (dx_ && in_place) run_rows(row, count, pending, waits);
        }
    }

    /// The gradients of some rows, each of which is read again while it is in the first-level cache.
    template <class Apply>
    void run_rows(int64_t row, int64_t count, PendingRow<Apply>& pending, bool waits) {
        const int64_t length = tensor_.group_length();
        auto reduce_block = [&](int64_t g, int64_t offset, const Planes& run) { return reduce(g, offset, run); };
        for (int64_t group = row * tensor_.groups; group < (row + count) * tensor_.groups; ++group) {
            const auto sums = reduce_channel<GradientSums>(groups(), blocks_, group, reduce_block, pending);
            pending.finish();
            pending.start(group * length, {1, length, length}, constants_of(group, sums));
            if (!waits) pending.finish();
        }
    }

    /// The groups as channels of one sample.
    ChannelTensor groups() const {
        return {1, tensor_.statistics(), tensor_.group_length(), false, tensor_.max_threads};
    }

    void run_in_steps() {
        if (sums_columns_) {
            for (int64_t row = 0; row < tensor_.rows; ++row) set_by_row(row);
            for (int64_t chunk = 0; chunk < grid_.chunks(); ++chunk) clear_columns(chunk);
            auto sum_piece = [&](int64_t index) {
                const auto piece = grid_.at(index);
                sum_columns(piece.chunk, chunk_start(piece.chunk), piece.rows.count, piece.channel,
                            piece.rows.channels);
            };
            parallel::for_each(grid_.pieces(), threads_, sum_piece);
        }
        if (!dx_) return;
        planes_pass<GradientSums>(
            groups(), Output{false},
            [&](int64_t group, int64_t offset, const Planes& run) { return reduce(group, offset, run); },
            [&](int64_t group, const GradientSums& sums) {
                constants_.data()[group] = constants_of(group, sums);
                return 0;
            },
            [](int64_t, const Planes&, int) {});
        planes_map(groups(), [&](int64_t offset, const Planes& run, int64_t group) {
            apply(offset, run.length, constants_.data()[group]);
        });
    }

    void finish_columns() {
        constexpr int64_t kTile = 64;
        auto finish_tile = [&](int64_t tile) {
            const int64_t begin = tile * kTile, end = std::min(tensor_.length, begin + kTile);
            double dy[kTile] = {}, dy_xhat[kTile] = {};
            for (int64_t chunk = 0; chunk < grid_.chunks(); ++chunk) {
                const int64_t at = chunk * grid_.padded_channels();
                for (int64_t c = begin; c < end; ++c) {
                    dy[c - begin] += sum_dy_.data()[at + c];
                    dy_xhat[c - begin] += sum_dy_xhat_.data()[at + c];
                }
            }
            for (int64_t c = begin; c < end; ++c) gradients_.store(c, dy_xhat[c - begin], dy[c - begin]);
        };
        parallel::for_each(parallel::ceil_div(tensor_.length, kTile), threads_, finish_tile);
    }

    const Kernels<E>& kernels_;
    const RowTensor& tensor_;
    const bool centered_;
    const Data *dy_, *x_;
    const Parameter* weight_;
    const double *mean_, *invstd_;
    Data* dx_;
    const ParameterGradients<Parameter>& gradients_;
    const Store store_;
    const int32_t threads_;
    const parallel::RowGrid grid_;
    const parallel::PlaneBlocks blocks_;
    const bool sums_columns_;
    ConstantArrays<ApplyConstants<Constant>> by_row_;
    const Scratch<double> sum_dy_, sum_dy_xhat_;
    const Scratch<BackwardConstants<Constant>> constants_;
};

}  // namespace

/// Rows whose output is written together: long ones, because their parameters are then read once for all of them. Short
/// ones go faster where reading and writing follow each other closely. 1 where rows are for all threads together.
template <class E>
int64_t RowNorm<E>::rows_together() const {
    const int32_t threads = parallel::threads_for(tensor.elements(), tensor.max_threads);
    return tensor.length < kLongRow || tensor.rows < kTogether * 4 * threads ? 1 : kTogether;
}

template <class E>
template <class Finish>
void RowNorm<E>::forward_together(const Data* x, const Affine<Parameter>& affine, const Finish& finish, Store store,
                                  Data* y) const {
    const ChannelTensor rows{1, tensor.rows, tensor.length, false, tensor.max_threads};
    const parallel::PlaneBlocks blocks(1, tensor.rows, tensor.length);
    const int64_t together = rows_together();
    auto reduce = [&](int64_t, int64_t offset, const Planes& run) {
        Moments moments;
        (centered ? kernels.planes_moments : kernels.planes_squares)(x + offset, run, &moments);
        return moments;
    };
    auto body = [&](int64_t block) {
        const int64_t first = block * together, count = std::min(together, tensor.rows - first);
        ApplyConstants<Constant> constants[kTogether];
        for (int64_t r = 0; r < count; ++r) {
            constants[r] = finish(first + r, reduce_channel<Moments>(rows, blocks, first + r, reduce));
        }
        Constant center[kTogether], scale[kTogether], offset[kTogether];
        for (int64_t r = 0; r < count; ++r) {
            center[r] = constants[r].center;
            scale[r] = constants[r].scale;
            offset[r] = constants[r].offset;
        }
        const int64_t at = first * tensor.length;
        kernels.affine_apply(x + at, {count, tensor.length, tensor.length}, {center, scale, offset}, affine, store,
                             y + at);
    };
    const int32_t threads = parallel::threads_for(tensor.elements(), tensor.max_threads);
    parallel::for_each(parallel::ceil_div(tensor.rows, together), threads, body);
}

template <class E>
void RowNorm<E>::forward(const Data* x, const Affine<Parameter>& affine, double eps, double* saved_mean,
                         double* saved_invstd, Data* y) const {
    const auto count = static_cast<double>(tensor.group_length());
    const Store store = store_for(tensor.elements(), y, x);
    const bool plain = !affine.weight && !affine.bias;
    const auto finish = [&](int64_t group, const Moments& moments) {
        const double invstd = invstd_of(moments.m2 / count, eps);
        if (saved_mean) saved_mean[group] = moments.mean;
        if (saved_invstd) saved_invstd[group] = invstd;
        return apply_constants<Constant>(moments.mean, invstd, 1, 0);
    };
    if (!plain && tensor.groups == 1 && rows_together() > 1) {
        forward_together(x, affine, finish, store, y);
        return;
    }
    planes_pass<Moments>(
        {1, tensor.statistics(), tensor.group_length(), false, tensor.max_threads}, Output{true, elements_to_line(y)},
        [&](int64_t, int64_t offset, const Planes& run) {
            Moments moments;
            (centered ? kernels.planes_moments : kernels.planes_squares)(x + offset, run, &moments);
            return moments;
        },
        finish,
        [&](int64_t offset, const Planes& run, const ApplyConstants<Constant>& constants) {
            if (plain) return kernels.planes_apply(x + offset, run, constants, store, y + offset);
            const int64_t at = offset % tensor.length;
            const Affine<Parameter> here{affine.weight ? affine.weight + at : nullptr,
                                         affine.bias ? affine.bias + at : nullptr};
            kernels.affine_apply(x + offset, {1, run.length, run.length}, arrays_of(constants), here, store,
                                 y + offset);
        });
}

template <class E>
void RowNorm<E>::backward(const Data* dy, const Data* x, const Parameter* weight, const double* saved_mean,
                          const double* saved_invstd, Data* dx, const ParameterGradients<Parameter>& gradients) const {
    RowBackward<E>(*this, dy, x, weight, saved_mean, saved_invstd, dx, gradients).run();
}

template struct RowNorm<Float32>;
template struct RowNorm<Float64>;
template struct RowNorm<Float16>;
template struct RowNorm<BFloat16>;

}  // namespace ni
