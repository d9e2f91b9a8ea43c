// Layers with an activation in the same pass: the bits of the separate steps, for every family, layout and data type,
// whatever is wanted, wherever it goes, and however many threads there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "activation/fused_case.h"
#include "kernels/channel/channel_norm.h"
#include "parallel/cache.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

/// Around the boundaries of vectors, and with planes that begin anywhere in a byte of a mask.
std::vector<LayerCase> small_fused_layers() {
    std::vector<LayerCase> layers;
    for (const bool last : {false, true}) {
        for (const int64_t spatial : {1, 2, 15, 16, 17, 31, 33, 49, 64, 65, 130}) {
            layers.push_back({Family::kBatch, 3, 5, spatial, 1, last});
            layers.push_back({Family::kBatch, 2, 17, spatial, 1, last});
            layers.push_back({Family::kGroup, 3, 6, spatial, 3, last});
            layers.push_back({Family::kGroup, 2, 34, spatial, 2, last});
            if (spatial > 1) layers.push_back({Family::kInstance, 3, 7, spatial, 1, last});
        }
        layers.push_back({Family::kBatch, 2, 1, 1, 1, last});
        layers.push_back({Family::kGroup, 2, 1, 1, 1, last});
        layers.push_back({Family::kBatch, 2, 3, 4099, 1, last});
        layers.push_back({Family::kBatch, 20, 150, 3, 1, last});
        layers.push_back({Family::kBatch, 3, 1030, 2, 1, last});
        layers.push_back({Family::kGroup, 2, 1040, 3, 4, last});
    }
    return layers;
}

/// Each way that threads share work out.
std::vector<LayerCase> large_fused_layers() {
    return {{Family::kBatch, 2, 2, 30001},           {Family::kBatch, 32, 90, 49},
            {Family::kBatch, 6, 40, 419, 1, true},   {Family::kBatch, 500, 130, 1},
            {Family::kGroup, 1, 6, 16701, 2},        {Family::kGroup, 40, 60, 45, 4},
            {Family::kGroup, 3, 24, 1401, 4, true},  {Family::kGroup, 300, 12, 29, 3, true},
            {Family::kGroup, 40, 2505, 1, 3},        {Family::kInstance, 2, 3, 16701},
            {Family::kInstance, 4, 40, 631, 1, true}};
}

template <class E>
class Fused : public testing::Test {
protected:
    static size_t type() {
        return static_cast<size_t>(std::find(kTypeNames.begin(), kTypeNames.end(), std::string_view(Type<E>::kName)) -
                                   kTypeNames.begin());
    }
    /// The part of some layers that this data type takes in turn.
    static std::vector<LayerCase> share_of(const std::vector<LayerCase>& layers, size_t turn) {
        return share(layers, type() + turn);
    }

    static void expect_separate_bits(const LayerCase& layer, const Following& following, LayerOptions options,
                                     const std::vector<int32_t>& threads, Fill fill = Fill::kNormal) {
        const LayerInputs<E> in = fused_inputs<E>(layer, following, fill);
        options = fused_options(following, options);
        const LayerResults<E> expected = separately(*supported_tables().back(), layer, in, options);
        for (const KernelTable* table : supported_tables()) {
            for (const int32_t count : threads) {
                SCOPED_TRACE(testing::Message() << layer << ", " << following << ", " << name_of(fill) << ", "
                                                << table->isa << ", " << count << " threads");
                options.threads = count;
                expect_same(run_layer(*table, layer, in, options), expected);
                if (testing::Test::HasFailure()) return;
            }
        }
    }
};

struct TypeNames {
    template <class E>
    static std::string GetName(int) {
        return Type<E>::kName;
    }
};
using DataTypes = testing::Types<Float32, Float64, Float16, BFloat16>;
TYPED_TEST_SUITE(Fused, DataTypes, TypeNames);

TYPED_TEST(Fused, HasTheBitsOfSeparateStepsOnSmallTensors) {
    size_t turn = 0;
    for (const Following& following : kFollowing) {
        for (const LayerCase& layer : this->share_of(small_fused_layers(), turn++)) {
            this->expect_separate_bits(layer, following, {}, {1});
            if (this->HasFailure()) return;
        }
    }
}

TYPED_TEST(Fused, HasTheBitsOfSeparateStepsOnAnyNumberOfThreads) {
    size_t turn = 0;
    for (const Following& following : kFollowing) {
        for (const LayerCase& layer : this->share_of(large_fused_layers(), turn++)) {
            this->expect_separate_bits(layer, following, {}, share<int32_t>({1, 2, 3}, turn++));
            if (this->HasFailure()) return;
        }
    }
}

TYPED_TEST(Fused, HasTheBitsOfSeparateStepsOnEveryKindOfInput) {
    size_t turn = 0;
    for (const Fill fill : kFills) {
        for (const bool last : {false, true}) {
            for (const Following& following : share(std::vector<Following>(kFollowing, kFollowing + 4), turn++)) {
                this->expect_separate_bits({Family::kBatch, 3, 7, 70, 1, last}, following, {}, {1}, fill);
                this->expect_separate_bits({Family::kGroup, 3, 12, 70, 4, last}, following, {}, {1}, fill);
                this->expect_separate_bits({Family::kGroup, 5, 12, 1, 3, last}, following, {}, {1}, fill);
                if (this->HasFailure()) return;
            }
        }
    }
}

const LayerCase kTypical[] = {
    {Family::kBatch, 3, 7, 70},     {Family::kBatch, 30, 7, 70, 1, true}, {Family::kBatch, 2, 2, 20001},
    {Family::kGroup, 3, 12, 70, 4}, {Family::kGroup, 3, 12, 70, 4, true}, {Family::kGroup, 1, 4, 10001, 2},
    {Family::kGroup, 33, 60, 1, 3}, {Family::kInstance, 3, 7, 50},        {Family::kInstance, 3, 7, 50, 1, true}};

TYPED_TEST(Fused, WritesOverItsInputs) {
    for (const Following& following : kFollowing) {
        for (const LayerCase& layer : kTypical) {
            for (const auto in_place : {LayerOptions::kOverX, LayerOptions::kOverDy, LayerOptions::kOverResidual}) {
                if (in_place == LayerOptions::kOverResidual && !following.residual) continue;
                LayerOptions options;
                options.in_place = in_place;
                this->expect_separate_bits(layer, following, options, {2});
                if (this->HasFailure()) return;
            }
        }
    }
}

TYPED_TEST(Fused, TakesAndGivesWhatIsWanted) {
    for (const Following& following : kFollowing) {
        for (const LayerCase& layer : kTypical) {
            for (int without = 0; without < 8; ++without) {
                LayerOptions options;
                bool* const wanted[] = {&options.weight,  &options.bias,  &options.dx,
                                        &options.dweight, &options.dbias, &options.dresidual};
                if (without < 6) *wanted[without] = false;
                if (without == 6) options.weight = options.bias = options.dx = false;
                if (without == 7) options.accumulate = true;
                SCOPED_TRACE(without);
                this->expect_separate_bits(layer, following, options, {2});
                if (this->HasFailure()) return;
            }
        }
    }
}

/// Inference, which only BatchNorm has: forward and backward with the running buffers for statistics.
template <class E>
struct Inference {
    std::vector<typename E::Data> y, dx, dresidual;
    std::vector<typename E::Parameter> dweight, dbias;
    std::vector<uint8_t> mask;
};

template <class E>
Inference<E> infer(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in,
                   const LayerOptions& options) {
    const ChannelTensor tensor{layer.batch, layer.channels, layer.spatial, layer.channels_last, options.threads};
    const ChannelNorm<E> norm{table.of(E()), tensor};
    Inference<E> out{std::vector<typename E::Data>(in.x.size()),
                     std::vector<typename E::Data>(in.x.size()),
                     std::vector<typename E::Data>(in.residual.size()),
                     in.weight,
                     in.bias,
                     std::vector<uint8_t>(options.mask ? (in.x.size() + 7) / 8 : 0)};
    uint8_t* const mask = options.mask ? out.mask.data() : nullptr;
    norm.forward_inference(in.x.data(), {in.weight.data(), in.bias.data()}, in.eps, in.running_mean.data(),
                           in.running_var.data(), out.y.data(),
                           {options.activation, in.residual.empty() ? nullptr : in.residual.data(), mask});
    norm.backward_inference(
        in.dy.data(), options.mask && !options.dweight ? nullptr : in.x.data(), in.weight.data(), in.eps,
        in.running_mean.data(), in.running_var.data(), options.dx ? out.dx.data() : nullptr,
        {options.dweight ? out.dweight.data() : nullptr, options.dbias ? out.dbias.data() : nullptr, true},
        {options.activation, in.bias.data(), mask, in.residual.empty() ? nullptr : out.dresidual.data()});
    return out;
}

template <class E>
void expect_separate_inference(const LayerCase& layer, const Following& following, LayerOptions options) {
    LayerInputs<E> in = fused_inputs<E>(layer, following), plain = in;
    for (auto& variance : in.running_var) variance = std::abs(variance);
    plain.running_var = in.running_var;
    plain.residual.clear();
    LayerOptions of_plain = options;
    const KernelTable& best = *supported_tables().back();
    const Steps<E> steps(following.activation, infer(best, layer, plain, of_plain).y, in.residual);
    plain.dy = steps.gradient(in.dy);
    const Inference<E> expected = infer(best, layer, plain, of_plain);
    options = fused_options(following, options);
    for (const KernelTable* table : supported_tables()) {
        SCOPED_TRACE(testing::Message() << layer << ", " << following << ", " << table->isa);
        const Inference<E> got = infer(*table, layer, in, options);
        EXPECT_TRUE(same_bits(values<E>(got.y), values<E>(steps.y)));
        EXPECT_TRUE(same_bits(values<E>(got.dx), values<E>(expected.dx)));
        EXPECT_TRUE(same_bits(got.dweight, expected.dweight));
        EXPECT_TRUE(same_bits(got.dbias, expected.dbias));
        EXPECT_TRUE(!following.mask || got.mask == steps.mask());
        EXPECT_TRUE(!following.residual || same_bits(values<E>(got.dresidual), values<E>(plain.dy)));
        if (testing::Test::HasFailure()) return;
    }
}

TYPED_TEST(Fused, InferenceHasTheBitsOfSeparateSteps) {
    size_t turn = 0;
    for (const Following& following : kFollowing) {
        for (const bool last : {false, true}) {
            for (const LayerCase& layer : this->share_of({{Family::kBatch, 3, 7, 70, 1, last},
                                                          {Family::kBatch, 33, 17, 1, 1, last},
                                                          {Family::kBatch, 2, 70, 33, 1, last},
                                                          {Family::kBatch, 5, 150, 101, 1, last}},
                                                         turn++)) {
                for (int without = 0; without < 4; ++without) {
                    SCOPED_TRACE(without);
                    LayerOptions options{.threads = 2};
                    options.dx = without != 1;
                    options.dweight = without < 2;
                    options.dbias = without != 3;
                    expect_separate_inference<TypeParam>(layer, following, options);
                    if (this->HasFailure()) return;
                }
            }
        }
    }
}

/// In place, outputs go through the cache; elsewhere, and of this size, past it.
TEST(FusedOf, OutputsLargerThanTheCacheAndMisaligned) {
    const int64_t elements = std::min<int64_t>(parallel::last_level_cache_bytes() / 8 + 4096, 16 << 20);
    for (const bool last : {false, true}) {
        const LayerCase layer{Family::kBatch, 4, 50, elements / 200 + 1, 1, last};
        const LayerInputs<Float32> in(layer);
        const ChannelTensor tensor{layer.batch, layer.channels, layer.spatial, last, 2};
        const ChannelNorm<Float32> norm{*supported_tables().back()->float32, tensor};
        std::vector<float> cached = in.x, streamed(in.x.size() + 3), plain(in.x.size());
        std::vector<uint8_t> mask((in.x.size() + 7) / 8), mask_of_streamed(mask.size());
        const auto run = [&](const float* x, float* y, const FusedForward<Float32>& fused) {
            norm.forward_inference(x, {in.weight.data(), in.bias.data()}, in.eps, in.running_mean.data(),
                                   in.running_mean.data(), y, fused);
        };
        run(cached.data(), cached.data(), {Activation::kRelu, in.dy.data(), mask.data()});
        run(in.x.data(), streamed.data() + 3, {Activation::kRelu, in.dy.data(), mask_of_streamed.data()});
        run(in.x.data(), plain.data(), {});
        EXPECT_EQ(streamed[0], 0.0F);
        streamed.erase(streamed.begin(), streamed.begin() + 3);
        const Steps<Float32> steps(Activation::kRelu, plain, in.dy);
        EXPECT_TRUE(same_bits(cached, steps.y));
        EXPECT_TRUE(same_bits(streamed, steps.y));
        EXPECT_TRUE(mask == steps.mask() && mask_of_streamed == mask);
    }
}

}  // namespace
}  // namespace ni::test
