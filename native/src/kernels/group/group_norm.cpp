#include "kernels/group/group_norm.h"

#include <algorithm>
#include <optional>

#include "kernels/activation/separate.h"
#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"
#include "kernels/channel/elementwise_pass.h"
#include "kernels/group/samples.h"
#include "kernels/row/row_norm.h"

namespace ni {
namespace {

/// Runs body(i) for i in [0, count), some at a time; each costs as much as `work` elements.
template <class Body>
void for_each_share(int64_t count, int64_t work, int32_t threads, Body body) {
    const int64_t share = std::clamp<int64_t>(kLeastShare / work, 1, std::max<int64_t>(1, count / threads));
    auto each = [&](int64_t piece) {
        const int64_t end = std::min(count, (piece + 1) * share);
        for (int64_t i = piece * share; i < end; ++i) body(i);
    };
    parallel::for_each(parallel::ceil_div(count, share), threads, each);
}

/// Elements that the arithmetic on the sums of a channel costs as much as.
constexpr int64_t kSumsWork = 64;

template <class E>
class GroupForward {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

public:
    GroupForward(const GroupNorm<E>& norm, const Data* x, const Affine<Parameter>& affine, double eps,
                 const RunningBuffers<Parameter>& running, double* saved_mean, double* saved_invstd, Data* y,
                 const FusedForward<E>& fused)
        : kernels_(norm.kernels),
          tensor_(norm.tensor),
          all_(tensor_.all),
          x_(x),
          affine_(affine),
          eps_(eps),
          running_(running),
          saved_mean_(saved_mean),
          saved_invstd_(saved_invstd),
          y_(y),
          pass_{kernels_, x, x, y, store_for(tensor_.elements(), y, x, fused.residual), fused ? &fused : nullptr},
          moments_(running.mean || running.var ? tensor_.statistics() : 0) {}

    void run() {
        all_.channels_last ? run_rows() : run_planes();
        if (!running_.mean && !running_.var) return;
        const auto samples = static_cast<double>(all_.batch), count = static_cast<double>(tensor_.values_per_group());
        for (int64_t c = 0; c < all_.channels; ++c) {
            double mean = 0, m2 = 0;
            for (int64_t n = 0; n < all_.batch; ++n) {
                mean += moments_.data()[n * all_.channels + c].mean;
                m2 += moments_.data()[n * all_.channels + c].m2;
            }
            running_.move(c, mean / samples, m2 / (count - 1) / samples);
        }
    }

private:
    /// What every element of a group has in common.
    struct Statistics {
        double mean, invstd;
    };

    Statistics finish(int64_t group, const Moments& moments) {
        const double invstd = invstd_of(moments.m2 / static_cast<double>(tensor_.values_per_group()), eps_);
        if (saved_mean_) saved_mean_[group] = moments.mean;
        if (saved_invstd_) saved_invstd_[group] = invstd;
        if (running_.mean || running_.var) moments_.data()[group] = moments;
        return {moments.mean, invstd};
    }

    ApplyConstants<Constant> constants_of(const Statistics& statistics, int64_t c) const {
        return apply_constants<Constant>(statistics.mean, statistics.invstd, value_or(affine_.weight, c, 1),
                                         value_or(affine_.bias, c, 0));
    }

    /// Contiguous: a group is a run of consecutive elements, in which every channel has its own constants.
    void run_planes() {
        planes_pass<Moments>(
            {1, tensor_.statistics(), tensor_.values_per_group(), false, all_.max_threads},
            Output{true, elements_to_line(y_)},
            [&](int64_t, int64_t offset, const Planes& run) {
                Moments moments;
                kernels_.planes_moments(x_ + offset, run, &moments);
                return moments;
            },
            [&](int64_t group, const Moments& moments) { return finish(group, moments); },
            [&](int64_t offset, const Planes& run, const Statistics& statistics) {
                apply_channels(offset, offset + run.length, statistics);
            });
    }

    void apply_channels(int64_t begin, int64_t end, const Statistics& statistics) const {
        for_each_plane(begin, end, all_.spatial, [&](int64_t offset, const Planes& run, int64_t plane) {
            pass_(offset, run, constants_of(statistics, plane % all_.channels));
        });
    }

    /// Channels last: every channel of a sample by itself, then the channels of a group together.
    void run_rows() {
        const Samples all_samples(all_);
        const int64_t per_group = tensor_.channels_per_group();
        const Scratch<Moments> channels(all_samples.kept(), all_.channels);
        ConstantArrays<ApplyConstants<Constant>> constants(all_samples.kept() * all_.channels);
        const auto positions = static_cast<double>(all_.spatial);
        all_samples.for_each([&](int64_t first, int64_t place, const RowTensors& samples, const RowSums& sums) {
            const int64_t start = first * samples.one.elements(), base = place * all_.channels;
            rows_reduce<Moments>(
                samples, sums,
                [&](int64_t offset, const Rows& rows, int64_t, double* mean, double* m2) {
                    kernels_.rows_moments(x_ + start + offset, rows, mean, m2);
                },
                [&](int64_t c, const Moments& moments) { channels.data()[base + c] = moments; });
            const int64_t groups = samples.count * tensor_.groups;
            for_each_share(groups, per_group * kSumsWork, samples.threads(), [&](int64_t group) {
                Moments moments{};
                const int64_t index = base + group * per_group;
                for (int64_t i = 0; i < per_group; ++i) {
                    fold(moments, channels.data()[index + i], {static_cast<double>(i) * positions, positions});
                }
                const Statistics statistics = finish(first * tensor_.groups + group, moments);
                for (int64_t i = index; i < index + per_group; ++i) {
                    constants.set(i, constants_of(statistics, i % all_.channels));
                }
            });
            rows_map(samples, [&](int64_t offset, const Rows& rows, int64_t c) {
                pass_(start + offset, rows, constants, base + c);
            });
        });
    }

    const Kernels<E>& kernels_;
    const GroupTensor& tensor_;
    const ChannelTensor& all_;
    const Data* x_;
    const Affine<Parameter>& affine_;
    const double eps_;
    const RunningBuffers<Parameter>& running_;
    double *saved_mean_, *saved_invstd_;
    Data* y_;
    const ElementwisePass<E> pass_;
    const Scratch<Moments> moments_;
};

/// A backward pass. The sums of every channel of every sample come first: dx wants those of a group, weighted, and the
/// parameters' gradients want those of a channel.
template <class E>
class GroupBackward {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

public:
    GroupBackward(const GroupNorm<E>& norm, const Parameter* weight, const double* saved_mean,
                  const double* saved_invstd, const ParameterGradients<Parameter>& gradients,
                  const ElementwisePass<E>& pass, const FusedBackward<E>& fused)
        : tensor_(norm.tensor),
          all_(tensor_.all),
          weight_(weight),
          mean_(saved_mean),
          invstd_(saved_invstd),
          gradients_(gradients),
          fused_(fused),
          pass_(pass),
          writes_(pass.dx || fused.dresidual),
          threads_(parallel::threads_for(tensor_.elements(), all_.max_threads)),
          sums_(all_.batch, all_.channels) {}

    void run() {
        if (!all_.channels_last && fuse(all_.batch * all_.channels)) {
            for_each_share(all_.batch * all_.channels, kSumsWork, threads_,
                           [&](int64_t plane) { gradient_->set_plane(plane, z_of(plane)); });
        }
        if (all_.channels_last) {
            run_rows();
        } else if (threads_ == 1 || tensor_.statistics() >= 4 * threads_) {
            for_each_share(tensor_.statistics(), tensor_.values_per_group(), threads_,
                           [&](int64_t group) { run_group(group); });
        } else {
            run_planes();
        }
        if (gradients_.weight || gradients_.bias) finish_parameters();
    }

private:
    /// What the gradients of a group's elements have in common.
    struct Means {
        double mean, invstd, g, g_xmu;
    };

    int64_t group_of(int64_t plane) const { return plane / tensor_.channels_per_group(); }
    ChannelTensor planes() const { return {1, all_.batch * all_.channels, all_.spatial, false, all_.max_threads}; }

    /// What makes z from x.
    ApplyConstants<Constant> z_of(int64_t plane) const {
        const int64_t group = group_of(plane), c = plane % all_.channels;
        return apply_constants<Constant>(mean_[group], invstd_[group], value_or(weight_, c, 1),
                                         value_or(fused_.bias, c, 0));
    }

    /// Turns the pass into that of a fused forward, if there was one: true where `count` constants of z are to be set.
    bool fuse(int64_t count) {
        if (!fused_) return false;
        gradient_.emplace(pass_, fused_, tensor_.elements(), all_.spatial, count, all_.channels_last, true);
        pass_.gradient = gradient_->gradient();
        return true;
    }

    GradientSums reduce(int64_t plane, int64_t offset, const Planes& run) const {
        return pass_.reduce(offset, run, static_cast<Constant>(mean_[group_of(plane)]));
    }

    void keep(int64_t plane, const GradientSums& sums) {
        sums_.data()[plane] = recentered<Constant>(sums, mean_[group_of(plane)]);
    }

    Means means_of(int64_t group) const {
        GradientSums sums{};
        const int64_t per_group = tensor_.channels_per_group(), start = group * per_group;
        for (int64_t i = start; i < start + per_group; ++i) {
            const double gamma = value_or(weight_, i % all_.channels, 1);
            sums.dy += gamma * sums_.data()[i].dy;
            sums.dy_xmu += gamma * sums_.data()[i].dy_xmu;
        }
        const auto count = static_cast<double>(tensor_.values_per_group());
        return {mean_[group], invstd_[group], sums.dy / count, sums.dy_xmu / count};
    }

    BackwardConstants<Constant> constants_of(const Means& means, int64_t plane) const {
        const double scale = value_or(weight_, plane % all_.channels, 1) * means.invstd;
        return backward_constants<Constant>(means.mean, means.invstd, scale, means.invstd, means.g, means.g_xmu);
    }

    /// Contiguous, a group for each thread, which has it in its cache when it comes to dx.
    void run_group(int64_t group) {
        const parallel::PlaneBlocks blocks(1, all_.batch * all_.channels, all_.spatial);
        auto reduce_block = [&](int64_t plane, int64_t offset, const Planes& run) {
            return reduce(plane, offset, run);
        };
        const int64_t begin = group * tensor_.channels_per_group(), end = begin + tensor_.channels_per_group();
        for (int64_t plane = begin; plane < end; ++plane) {
            keep(plane, reduce_channel<GradientSums>(planes(), blocks, plane, reduce_block));
        }
        if (!writes_) return;
        const Means means = means_of(group);
        for (int64_t plane = begin; plane < end; ++plane) {
            pass_(plane * all_.spatial, blocks.whole(), constants_of(means, plane));
        }
    }

    /// Contiguous, fewer groups than threads can share out: all threads first on the sums, then on dx.
    void run_planes() {
        const Scratch<Means> means(writes_ ? tensor_.statistics() : 0);
        planes_pass<GradientSums>(
            planes(), Output{false},
            [&](int64_t plane, int64_t offset, const Planes& run) { return reduce(plane, offset, run); },
            [&](int64_t plane, const GradientSums& sums) {
                keep(plane, sums);
                return 0;
            },
            [](int64_t, const Planes&, int) {});
        if (!writes_) return;
        for (int64_t group = 0; group < tensor_.statistics(); ++group) means.data()[group] = means_of(group);
        planes_map(planes(), [&](int64_t offset, const Planes& run, int64_t plane) {
            pass_(offset, run, constants_of(means.data()[group_of(plane)], plane));
        });
    }

    void run_rows() {
        const Samples all_samples(all_);
        run_rows(all_samples, fuse(all_samples.kept() * all_.channels));
        gradient_.reset();  // working memory is given back in the reverse order
    }

    void run_rows(const Samples& all_samples, bool fused) {
        const int64_t per_group = tensor_.channels_per_group();
        const Scratch<Constant> centers(all_samples.kept(), all_.channels);
        ConstantArrays<BackwardConstants<Constant>> constants(writes_ ? all_samples.kept() * all_.channels : 0);
        all_samples.for_each([&](int64_t first, int64_t place, const RowTensors& samples, const RowSums& sums) {
            const int64_t start = first * samples.one.elements(), first_plane = first * all_.channels;
            const int64_t base = place * all_.channels;
            for (int64_t group = 0; group < samples.count * tensor_.groups; ++group) {
                const auto center = static_cast<Constant>(mean_[first * tensor_.groups + group]);
                std::fill_n(centers.data() + base + group * per_group, per_group, center);
            }
            for (int64_t c = 0; fused && c < samples.channels(); ++c) {
                gradient_->set_channel(base + c, z_of(first_plane + c));
            }
            rows_reduce<GradientSums>(
                samples, sums,
                [&](int64_t offset, const Rows& rows, int64_t c, double* dy, double* dy_xmu) {
                    pass_.reduce(start + offset, rows, base + c, centers.data() + base + c, dy, dy_xmu);
                },
                [&](int64_t c, const GradientSums& of_channel) { keep(first_plane + c, of_channel); });
            if (!writes_) return;
            const int64_t groups = samples.count * tensor_.groups;
            for_each_share(groups, per_group * kSumsWork, samples.threads(), [&](int64_t group) {
                const Means means = means_of(first * tensor_.groups + group);
                for (int64_t c = group * per_group; c < (group + 1) * per_group; ++c) {
                    constants.set(base + c, constants_of(means, first_plane + c));
                }
            });
            rows_map(samples, [&](int64_t offset, const Rows& rows, int64_t c) {
                pass_(start + offset, rows, constants, base + c);
            });
        });
    }

    void finish_parameters() {
        for_each_share(all_.channels, all_.batch * kSumsWork, threads_, [&](int64_t c) {
            double of_weight = 0, of_bias = 0;
            for (int64_t n = 0; n < all_.batch; ++n) {
                const int64_t plane = n * all_.channels + c;
                of_weight += sums_.data()[plane].dy_xmu * invstd_[group_of(plane)];
                of_bias += sums_.data()[plane].dy;
            }
            gradients_.store(c, of_weight, of_bias);
        });
    }

    const GroupTensor& tensor_;
    const ChannelTensor& all_;
    const Parameter* weight_;
    const double *mean_, *invstd_;
    const ParameterGradients<Parameter>& gradients_;
    const FusedBackward<E>& fused_;
    ElementwisePass<E> pass_;
    const bool writes_;
    const int32_t threads_;
    const Scratch<GradientSums> sums_;
    std::optional<FusedGradientScratch<E>> gradient_;
};

/// With one position a channel, a sample is a row, and each of its elements has a weight of its own.
RowTensor as_row(const GroupTensor& tensor) {
    return {tensor.all.batch, tensor.all.channels, tensor.all.max_threads, tensor.groups};
}

}  // namespace

template <class E>
void GroupNorm<E>::forward(const Data* x, const Affine<Parameter>& affine, double eps,
                           const RunningBuffers<Parameter>& running, double* saved_mean, double* saved_invstd, Data* y,
                           const FusedForward<E>& fused) const {
    if (tensor.all.spatial != 1) {
        GroupForward<E>(*this, x, affine, eps, running, saved_mean, saved_invstd, y, fused).run();
        return;
    }
    const RowTensor rows = as_row(tensor);
    const SeparateForward<E> separate(kernels, rows, fused, x, y);
    RowNorm<E>{kernels, rows, true}.forward(x, affine, eps, saved_mean, saved_invstd, separate.z());
    separate.run();
}

template <class E>
void GroupNorm<E>::backward(const Data* dy, const Data* x, const Parameter* weight, const double* saved_mean,
                            const double* saved_invstd, Data* dx, const ParameterGradients<Parameter>& gradients,
                            const FusedBackward<E>& fused) const {
    if (tensor.all.spatial != 1) {
        const ElementwisePass<E> pass{kernels, dy, x, dx, store_for(tensor.elements(), dx, dy, x)};
        GroupBackward<E>(*this, weight, saved_mean, saved_invstd, gradients, pass, fused).run();
        return;
    }
    const RowTensor rows = as_row(tensor);
    const SeparateBackward<E> separate(kernels, rows, fused, dy, x, weight, saved_mean, saved_invstd);
    RowNorm<E>{kernels, rows, true}.backward(separate.g(), x, weight, saved_mean, saved_invstd, dx, gradients);
    separate.run();
}

template struct GroupNorm<Float32>;
template struct GroupNorm<Float64>;
template struct GroupNorm<Float16>;
template struct GroupNorm<BFloat16>;

}  // namespace ni
