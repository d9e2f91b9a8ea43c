#include "layers/layer_case.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "kernels/channel/channel_norm.h"
#include "kernels/group/group_norm.h"
#include "kernels/row/row_norm.h"
#include "support/bits.h"

namespace ni::test {
namespace {

template <class T>
std::vector<T> parameters(int64_t count, uint64_t seed) {
    const std::vector<double> values = normal_values(count, seed);
    return std::vector<T>(values.begin(), values.end());
}

/// Calls of one layer on one tensor, whatever its family.
template <class E>
class Layer {
    using Data = typename E::Data;
    using Parameter = typename E::Parameter;
    using Gradients = ParameterGradients<Parameter>;

public:
    Layer(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in, const LayerOptions& options)
        : kernels_(table.of(E())),
          layer_(layer),
          in_(in),
          affine_{layer.has_parameters() && options.weight ? in.weight.data() : nullptr,
                  layer.has_bias() && options.bias ? in.bias.data() : nullptr},
          all_{layer.batch, layer.channels, layer.spatial, layer.channels_last, options.threads},
          groups_{all_, layer.family == Family::kInstance ? layer.channels : layer.groups},
          rows_{layer.batch, layer.channels, options.threads} {}

    void forward(const Data* x, LayerResults<E>& out, Data* y, const FusedForward<E>& fused) const {
        const bool caffe = layer_.family == Family::kCaffe;
        const double momentum = in_.momentum;
        RunningBuffers<Parameter> running{nullptr, nullptr, 1 - momentum, caffe ? 1 : momentum};
        if (layer_.has_running()) {
            running.mean = out.running_mean.data();
            running.var = out.running_var.data();
        }
        double *const mean = layer_.centered() ? out.mean.data() : nullptr, *const invstd = out.invstd.data();
        if (layer_.per_channel()) {
            ChannelNorm<E>{kernels_, all_}.forward_training(x, affine_, in_.eps, running, mean, invstd, y, fused);
        } else if (layer_.family == Family::kLayer || layer_.family == Family::kRms) {
            RowNorm<E>{kernels_, rows_, layer_.centered()}.forward(x, affine_, in_.eps, mean, invstd, y);
        } else {
            GroupNorm<E>{kernels_, groups_}.forward(x, affine_, in_.eps, running, mean, invstd, y, fused);
        }
    }

    void backward(const Data* dy, const Data* x, const LayerResults<E>& forward, Data* dx, const Gradients& to,
                  const FusedBackward<E>& fused) const {
        const double *const mean = layer_.centered() ? forward.mean.data() : nullptr, *const r = forward.invstd.data();
        if (layer_.per_channel()) {
            ChannelNorm<E>{kernels_, all_}.backward_training(dy, x, affine_.weight, mean, r, dx, to, fused);
        } else if (layer_.family == Family::kLayer || layer_.family == Family::kRms) {
            RowNorm<E>{kernels_, rows_, layer_.centered()}.backward(dy, x, affine_.weight, mean, r, dx, to);
        } else {
            GroupNorm<E>{kernels_, groups_}.backward(dy, x, affine_.weight, mean, r, dx, to, fused);
        }
    }

    const Parameter* bias() const { return affine_.bias; }

private:
    const ni::Kernels<E>& kernels_;
    const LayerCase& layer_;
    const LayerInputs<E>& in_;
    const Affine<Parameter> affine_;
    const ChannelTensor all_;
    const GroupTensor groups_;
    const RowTensor rows_;
};

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}
template <class T>
void expect_same(const char* what, const std::vector<T>& a, const std::vector<T>& b) {
    EXPECT_TRUE(same_bits(a, b)) << what;
}

}  // namespace

const char* name_of(Family family) {
    constexpr const char* kNames[] = {"batch", "caffe", "group", "instance", "layer", "rms"};
    return kNames[static_cast<int>(family)];
}

std::ostream& operator<<(std::ostream& out, const LayerCase& layer) {
    return out << name_of(layer.family) << " (" << layer.batch << ", " << layer.channels << ", " << layer.spatial
               << ") in " << layer.groups << " groups, " << (layer.channels_last ? "NSC" : "NCS");
}

template <class E>
LayerInputs<E>::LayerInputs(const LayerCase& layer, Fill fill)
    : x(filled_as<E>(fill, layer.elements(), 1)),
      dy(filled_as<E>(Fill::kNormal, layer.elements(), 2)),
      weight(parameters<Parameter>(layer.channels, 3)),
      bias(parameters<Parameter>(layer.channels, 4)),
      running_mean(parameters<Parameter>(layer.channels, 5)),
      running_var(parameters<Parameter>(layer.channels, 6)) {}

template <class E>
LayerResults<E> run_layer(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in,
                          const LayerOptions& options) {
    EXPECT_EQ(layer.channels % layer.groups, 0);
    const auto sets = static_cast<size_t>(layer.sets());
    const double unwritten = std::numeric_limits<double>::quiet_NaN();
    const std::vector<typename E::Data> nothing(in.x.size(), Type<E>::of(static_cast<long double>(unwritten)));
    LayerResults<E> out{nothing,
                        nothing,
                        std::vector<double>(sets, unwritten),
                        std::vector<double>(sets, unwritten),
                        in.running_mean,
                        in.running_var,
                        in.weight,
                        in.bias};
    const bool adds = !in.residual.empty();
    out.mask.resize(options.mask ? (in.x.size() + 7) / 8 : 0);
    if (adds && options.mask && options.dresidual) out.dresidual = nothing;
    uint8_t* const mask = options.mask ? out.mask.data() : nullptr;
    const Layer<E> calls(table, layer, in, options);
    const bool over_x = options.in_place == LayerOptions::kOverX, over_dy = options.in_place == LayerOptions::kOverDy;
    const bool over_residual = options.in_place == LayerOptions::kOverResidual;
    if (over_x) out.y = in.x;
    if (over_residual) out.y = in.residual;
    calls.forward(over_x ? out.y.data() : in.x.data(), out, out.y.data(),
                  {options.activation,
                   !adds           ? nullptr
                   : over_residual ? out.y.data()
                                   : in.residual.data(),
                   mask});
    if (over_x) out.dx = in.x;
    if (over_dy) out.dx = in.dy;
    if (over_residual) out.dresidual = in.dy;
    const auto* const dy = over_dy ? out.dx.data() : over_residual ? out.dresidual.data() : in.dy.data();
    calls.backward(dy, over_x ? out.dx.data() : in.x.data(), out, options.dx ? out.dx.data() : nullptr,
                   {layer.has_parameters() && options.dweight ? out.dweight.data() : nullptr,
                    layer.has_bias() && options.dbias ? out.dbias.data() : nullptr, options.accumulate},
                   {options.activation, calls.bias(), mask, out.dresidual.empty() ? nullptr : out.dresidual.data()});
    return out;
}

template <class E>
void expect_same(const LayerResults<E>& a, const LayerResults<E>& b) {
    // Bytes that are equal need no look at what they mean.
    if (!same_bytes(a.y, b.y)) expect_same("y", values<E>(a.y), values<E>(b.y));
    if (!same_bytes(a.dx, b.dx)) expect_same("dx", values<E>(a.dx), values<E>(b.dx));
    if (!same_bytes(a.dresidual, b.dresidual)) expect_same("dresidual", values<E>(a.dresidual), values<E>(b.dresidual));
    EXPECT_TRUE(a.mask == b.mask) << "mask";
    expect_same("mean", a.mean, b.mean);
    expect_same("invstd", a.invstd, b.invstd);
    expect_same("running mean", a.running_mean, b.running_mean);
    expect_same("running var", a.running_var, b.running_var);
    expect_same("dweight", a.dweight, b.dweight);
    expect_same("dbias", a.dbias, b.dbias);
}

#define NI_INSTANTIATE(E)                                                                           \
    template struct LayerInputs<E>;                                                                 \
    template LayerResults<E> run_layer(const KernelTable&, const LayerCase&, const LayerInputs<E>&, \
                                       const LayerOptions&);                                        \
    template void expect_same(const LayerResults<E>&, const LayerResults<E>&);
NI_INSTANTIATE(Float32)
NI_INSTANTIATE(Float64)
NI_INSTANTIATE(Float16)
NI_INSTANTIATE(BFloat16)
#undef NI_INSTANTIATE

std::vector<LayerCase> small_layers() {
    std::vector<LayerCase> layers;
    for (const int64_t rows : {1, 3, 17})
        for (const int64_t length : {1, 2, 15, 16, 17, 49, 64, 65, 130, 1030})
            for (const Family family : {Family::kLayer, Family::kRms}) layers.push_back({family, rows, length});
    for (const bool last : {false, true}) {
        for (const int64_t batch : {1, 3})
            for (const int64_t spatial : {1, 2, 16, 49, 70}) {
                for (const int64_t per_group : {1, 3, 16, 20})
                    for (const int64_t groups : {1, 4})
                        layers.push_back({Family::kGroup, batch, groups * per_group, spatial, groups, last});
                for (const int64_t channels : {1, 5, 17, 33}) {
                    if (spatial > 1) layers.push_back({Family::kInstance, batch, channels, spatial, 1, last});
                    if (batch * spatial > 1) layers.push_back({Family::kBatch, batch, channels, spatial, 1, last});
                }
            }
        layers.push_back({Family::kCaffe, 3, 5, 20, 1, last});
        layers.push_back({Family::kCaffe, 1, 5, 1, 1, last});  // a single value, which Caffe allows
    }
    return layers;
}

std::vector<LayerCase> large_layers() {
    return {
        {Family::kGroup, 1, 6, 50001, 2},           // few large groups: all threads on one after another
        {Family::kGroup, 2, 4, 9001, 2},            // planes cut in blocks that end within channels
        {Family::kGroup, 64, 32, 49, 8},            // many small ones: a share for each thread
        {Family::kGroup, 2, 600, 251, 2},           // few groups of many channels
        {Family::kGroup, 3, 24, 20000, 4, true},    // samples in two waves, the last one shorter
        {Family::kGroup, 9, 48, 50, 6, true},       // fewer samples than threads can share out
        {Family::kGroup, 700, 6, 30, 3, true},      // many samples
        {Family::kGroup, 2, 1500, 100, 5, true},    // more channels than a kernel takes
        {Family::kGroup, 513, 96, 1, 4},            // one position: rows of groups
        {Family::kGroup, 40, 4095, 1, 3},           // the same, fewer chunks than threads, groups of odd length
        {Family::kGroup, 300, 1040, 1, 2, true},    // the same in the other layout, which is the same order
        {Family::kInstance, 2, 3, 30001},           // few large instances
        {Family::kInstance, 30, 40, 49},            // many small ones
        {Family::kInstance, 4, 40, 1000, 1, true},  //
        {Family::kInstance, 2, 1, 80000, 1, true},  // one channel
        {Family::kLayer, 300, 77},                  // short rows
        {Family::kLayer, 5, 40001},                 // long rows: all threads on each
        {Family::kLayer, 9000, 33},                 // 128 chunks
        {Family::kLayer, 129, 1024},                // whole vectors
        {Family::kRms, 100, 2500},                  // fewer chunks than threads
        {Family::kRms, 2000, 130},                  //
        {Family::kBatch, 32, 350, 49},              // small planes: all reduced, then all written
        {Family::kBatch, 2, 2, 50001},              // few large channels
        {Family::kBatch, 8, 16, 1500, 1, true},     //
        {Family::kBatch, 700, 300, 1},              // one position
        {Family::kCaffe, 4, 30, 1000},              //
    };
}

std::vector<LayerCase> typical_layers() {
    return {{Family::kGroup, 3, 12, 70, 4},
            {Family::kGroup, 3, 12, 70, 4, true},
            {Family::kGroup, 1, 4, 20001, 2},
            {Family::kGroup, 33, 60, 1, 3},
            {Family::kGroup, 20, 4002, 1, 3},
            {Family::kInstance, 3, 7, 50},
            {Family::kInstance, 3, 7, 5000, 1, true},
            {Family::kLayer, 70, 49},
            {Family::kLayer, 3, 30001},
            {Family::kRms, 70, 49},
            {Family::kRms, 3, 30001},
            {Family::kBatch, 3, 7, 70},
            {Family::kBatch, 30, 7, 70, 1, true},
            {Family::kCaffe, 3, 7, 70}};
}

}  // namespace ni::test
