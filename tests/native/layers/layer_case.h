// Layers of every family as one thing: elements form sets that are normalized together, and have a parameter each.
#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

#include "kernels/kernel_types.h"
#include "kernels/registry.h"
#include "support/fill.h"

namespace ni::test {

/// Caffe's BatchNorm has sums for running buffers and no parameters.
enum class Family { kBatch, kCaffe, kGroup, kInstance, kLayer, kRms };
const char* name_of(Family family);

/// A tensor and the layer over it. The rows of kLayer and kRms are samples of `channels` elements.
struct LayerCase {
    Family family;
    int64_t batch, channels, spatial = 1, groups = 1;
    bool channels_last = false;

    int64_t elements() const { return batch * channels * spatial; }
    bool per_channel() const { return family == Family::kBatch || family == Family::kCaffe; }
    bool has_parameters() const { return family != Family::kCaffe; }
    bool has_bias() const { return has_parameters() && family != Family::kRms; }
    bool has_running() const { return per_channel() || family == Family::kInstance; }
    bool centered() const { return family != Family::kRms; }
    /// Sets of one sample; of all samples, where it is per channel.
    int64_t sets_of_sample() const {
        return per_channel() || family == Family::kInstance ? channels : family == Family::kGroup ? groups : 1;
    }
    int64_t sets() const { return per_channel() ? channels : batch * sets_of_sample(); }
    int64_t set_size() const { return elements() / sets(); }
    int64_t parameter_of(int64_t element) const {
        return channels_last ? element % channels : element / spatial % channels;
    }
    int64_t set_of(int64_t element) const {
        const int64_t of_sample = parameter_of(element) / (channels / sets_of_sample());
        return per_channel() ? of_sample : element / (channels * spatial) * sets_of_sample() + of_sample;
    }
};
std::ostream& operator<<(std::ostream& out, const LayerCase& layer);

/// What a layer takes. x has the fill; all else is ordinary.
template <class E>
struct LayerInputs {
    using Data = typename E::Data;
    using Parameter = typename E::Parameter;
    explicit LayerInputs(const LayerCase& layer, Fill fill = Fill::kNormal);

    std::vector<Data> x, dy;
    std::vector<Data> residual = {};  ///< what is added before an activation; empty: nothing
    std::vector<Parameter> weight, bias, running_mean, running_var;
    double eps = 1e-5, momentum = 0.1;
};

/// How a layer is run, and what is wanted of it.
struct LayerOptions {
    int32_t threads = 1;
    bool weight = true, bias = true;
    bool dx = true, dweight = true, dbias = true;
    bool accumulate = false;
    /// Where y (over x, then) and dx are written; kOverResidual: y over the residual, and its gradient over dy.
    enum { kNowhere, kOverX, kOverDy, kOverResidual } in_place = kNowhere;
    Activation activation = Activation::kNone;  ///< what follows; not for kLayer and kRms
    bool mask = false;                          ///< whether the backward goes by a mask
    bool dresidual = true;                      ///< with a mask and a residual
};

/// What a layer computes. Gradients of parameters start as the parameters themselves.
template <class E>
struct LayerResults {
    std::vector<typename E::Data> y, dx;
    std::vector<double> mean, invstd;
    std::vector<typename E::Parameter> running_mean, running_var, dweight, dbias;
    std::vector<uint8_t> mask = {};
    std::vector<typename E::Data> dresidual = {};
};

/// Forward and backward. What is not written holds NaN.
template <class E>
LayerResults<E> run_layer(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in,
                          const LayerOptions& options = {});

/// Whether all results are equal to the bit.
template <class E>
void expect_same(const LayerResults<E>& a, const LayerResults<E>& b);

/// Tensors small enough to try every kind of input on, around the boundaries of vectors, of every family.
std::vector<LayerCase> small_layers();
/// Tensors that reach every way of sharing work out among threads.
std::vector<LayerCase> large_layers();
/// One for each schedule, for whatever does not depend on sizes.
std::vector<LayerCase> typical_layers();

}  // namespace ni::test
