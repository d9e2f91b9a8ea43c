// The exported parts with an activation, which a synchronized BatchNorm communicates between: the bits of the separate
// steps, and in one piece those of the fused passes.
#include <gtest/gtest.h>

#include <algorithm>

#include "activation/fused_case.h"
#include "kernels/channel/channel_norm.h"
#include "parallel/cache.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

/// Those of fused layers, and what has no backward.
constexpr Following kParts[] = {
    kFollowing[0], kFollowing[1], kFollowing[2], kFollowing[3], {Activation::kRelu, true, false}};
bool has_backward(const Following& following) { return following.mask || !following.residual; }

/// What a rank knows of all ranks.
struct Statistics {
    std::vector<double> mean, invstd;
    double count;
};

/// What the parts compute.
template <class E>
struct Parts {
    explicit Parts(const LayerCase& layer) : nothing(static_cast<size_t>(layer.elements()), Type<E>::of(NAN)) {}

    std::vector<typename E::Data> nothing, y = nothing, dx = nothing, dresidual;
    std::vector<double> sum_dy, sum_dy_xmu;
    std::vector<uint8_t> mask;
};

template <class E>
void expect_same(const Parts<E>& a, const Parts<E>& b) {
    EXPECT_TRUE(same_bits(values<E>(a.y), values<E>(b.y))) << "y";
    EXPECT_TRUE(same_bits(a.sum_dy, b.sum_dy)) << "sum_dy";
    EXPECT_TRUE(same_bits(a.sum_dy_xmu, b.sum_dy_xmu)) << "sum_dy_xmu";
    EXPECT_TRUE(same_bits(values<E>(a.dx), values<E>(b.dx))) << "dx";
    EXPECT_TRUE(same_bits(values<E>(a.dresidual), values<E>(b.dresidual))) << "dresidual";
    EXPECT_TRUE(a.mask == b.mask) << "mask";
}

/// The parts on a tensor, as LayerOptions say.
template <class E>
class PartsOf {
    using Data = typename E::Data;

public:
    PartsOf(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in, const LayerOptions& options)
        : layer_(layer),
          in_(in),
          options_(options),
          tensor_{layer.batch, layer.channels, layer.spatial, layer.channels_last, options.threads},
          norm_{table.of(E()), tensor_},
          affine_{options.weight ? in.weight.data() : nullptr, options.bias ? in.bias.data() : nullptr} {}
    PartsOf(const PartsOf&) = delete;
    PartsOf& operator=(const PartsOf&) = delete;

    /// Of two ranks with other data, or of this one alone.
    Statistics statistics(int ranks) const {
        const auto channels = static_cast<size_t>(layer_.channels);
        Statistics s{std::vector<double>(channels), std::vector<double>(channels),
                     static_cast<double>(ranks * layer_.set_size())};
        norm_.statistics(in_.x.data(), s.mean.data(), s.invstd.data());
        for (size_t c = 0; c < channels; ++c) {
            s.invstd[c] = invstd_of(ranks * s.invstd[c] / s.count, in_.eps);
            if (ranks != 1) s.mean[c] += 0.25 / s.invstd[c];
        }
        return s;
    }

    void forward(const Statistics& s, Parts<E>& out) const {
        const bool over_x = options_.in_place == LayerOptions::kOverX;
        const bool over_residual = options_.in_place == LayerOptions::kOverResidual;
        if (over_x) out.y = in_.x;
        if (over_residual) out.y = in_.residual;
        out.mask.resize(options_.mask ? (in_.x.size() + 7) / 8 : 0);
        const Data* const residual = over_residual ? out.y.data() : in_.residual.data();
        norm_.apply(over_x ? out.y.data() : in_.x.data(), s.mean.data(), s.invstd.data(), affine_, out.y.data(),
                    {options_.activation, in_.residual.empty() ? nullptr : residual, mask_of(out)});
    }

    /// In place, dresidual is written over dy but where dx is.
    void backward(const Statistics& s, Parts<E>& out) const {
        const bool over_x = options_.in_place == LayerOptions::kOverX;
        const bool over_dy = options_.in_place == LayerOptions::kOverDy;
        if (over_x) out.dx = in_.x;
        if (over_dy) out.dx = in_.dy;
        if (options_.mask && options_.dresidual && !in_.residual.empty())
            out.dresidual = options_.in_place == LayerOptions::kNowhere || over_dy ? out.nothing : in_.dy;
        const bool dy_is_dresidual = !out.dresidual.empty() && options_.in_place != LayerOptions::kNowhere && !over_dy;
        const Data* const dy = over_dy ? out.dx.data() : dy_is_dresidual ? out.dresidual.data() : in_.dy.data();
        const Data* const x = over_x ? out.dx.data() : in_.x.data();
        out.sum_dy.resize(s.mean.size());
        out.sum_dy_xmu.resize(s.mean.size());
        FusedBackward<E> fused{options_.activation, affine_.bias, mask_of(out), nullptr};
        norm_.backward_reduce(dy, x, s.mean.data(), fused ? s.invstd.data() : nullptr, fused ? affine_.weight : nullptr,
                              out.sum_dy.data(), out.sum_dy_xmu.data(), fused);
        if (!out.dresidual.empty()) fused.dresidual = out.dresidual.data();
        norm_.backward_apply(dy, x, s.mean.data(), s.invstd.data(), affine_.weight, out.sum_dy.data(),
                             out.sum_dy_xmu.data(), s.count, out.dx.data(), fused);
    }

private:
    uint8_t* mask_of(Parts<E>& out) const { return options_.mask ? out.mask.data() : nullptr; }

    const LayerCase& layer_;
    const LayerInputs<E>& in_;
    const LayerOptions& options_;
    const ChannelTensor tensor_;
    const ChannelNorm<E> norm_;
    const Affine<typename E::Parameter> affine_;
};

/// The plain parts and the steps between them.
template <class E>
Parts<E> separate_parts(const LayerCase& layer, const LayerInputs<E>& in, const Following& following,
                        const Statistics& s, const LayerOptions& options) {
    LayerInputs<E> plain_inputs = in;
    plain_inputs.residual.clear();
    LayerOptions plain;
    plain.weight = options.weight;
    plain.bias = options.bias;
    const PartsOf<E> parts(*supported_tables().back(), layer, plain_inputs, plain);
    Parts<E> out(layer);
    parts.forward(s, out);
    const Steps<E> steps(following.activation, out.y, in.residual);
    out.y = steps.y;
    if (following.mask) out.mask = steps.mask();
    if (!has_backward(following)) return out;
    plain_inputs.dy = steps.gradient(in.dy);
    parts.backward(s, out);
    if (following.mask && following.residual && options.dresidual) out.dresidual = plain_inputs.dy;
    return out;
}

template <class E>
void expect_separate_bits(const LayerCase& layer, const Following& following, LayerOptions options,
                          const std::vector<int32_t>& threads, Fill fill = Fill::kNormal) {
    const LayerInputs<E> in = fused_inputs<E>(layer, following, fill);
    options = fused_options(following, options);
    const Statistics s = PartsOf<E>(*supported_tables().back(), layer, in, options).statistics(2);
    const Parts<E> expected = separate_parts<E>(layer, in, following, s, options);
    for (const KernelTable* table : supported_tables()) {
        for (const int32_t count : threads) {
            SCOPED_TRACE(testing::Message() << layer << ", " << following << ", " << name_of(fill) << ", in place "
                                            << options.in_place << ", " << table->isa << ", " << count << " threads");
            options.threads = count;
            const PartsOf<E> parts(*table, layer, in, options);
            Parts<E> got(layer);
            parts.forward(s, got);
            if (has_backward(following)) parts.backward(s, got);
            expect_same(got, expected);
            if (testing::Test::HasFailure()) return;
        }
    }
}

/// Around the boundaries of vectors and blocks, with planes and parts of planes that begin anywhere in a byte of a
/// mask.
std::vector<LayerCase> small_tensors() {
    std::vector<LayerCase> layers;
    for (const bool last : {false, true}) {
        for (const int64_t spatial : {1, 2, 15, 16, 17, 31, 33, 49, 63, 64, 65, 130}) {
            layers.push_back({Family::kBatch, 3, 5, spatial, 1, last});
            layers.push_back({Family::kBatch, 2, 17, spatial, 1, last});
        }
        for (const int64_t spatial : {4095, 4096, 4099}) layers.push_back({Family::kBatch, 2, 3, spatial, 1, last});
        layers.push_back({Family::kBatch, 1, 1, 1, 1, last});
        layers.push_back({Family::kBatch, 1, 1, 65537, 1, last});
        layers.push_back({Family::kBatch, 20, 150, 3, 1, last});
        layers.push_back({Family::kBatch, 3, 1030, 2, 1, last});
    }
    return layers;
}

/// Each way that threads share work out.
std::vector<LayerCase> large_tensors() {
    return {{Family::kBatch, 2, 2, 30001}, {Family::kBatch, 1, 1, 140001},
            {Family::kBatch, 32, 90, 49},  {Family::kBatch, 6, 40, 419, 1, true},
            {Family::kBatch, 500, 130, 1}, {Family::kBatch, 2, 1, 65601, 1, true}};
}

const LayerCase kTypical[] = {{Family::kBatch, 3, 7, 70},
                              {Family::kBatch, 30, 7, 70, 1, true},
                              {Family::kBatch, 33, 17, 1},
                              {Family::kBatch, 2, 2, 20001}};

template <class E>
class FusedParts : public testing::Test {
protected:
    static size_t type() {
        return static_cast<size_t>(std::find(kTypeNames.begin(), kTypeNames.end(), std::string_view(Type<E>::kName)) -
                                   kTypeNames.begin());
    }
};
struct TypeNames {
    template <class E>
    static std::string GetName(int) {
        return Type<E>::kName;
    }
};
using DataTypes = testing::Types<Float32, Float64, Float16, BFloat16>;
TYPED_TEST_SUITE(FusedParts, DataTypes, TypeNames);

TYPED_TEST(FusedParts, HaveTheBitsOfSeparateStepsOnSmallTensors) {
    size_t turn = this->type();
    for (const Following& following : kParts) {
        for (const LayerCase& layer : share(small_tensors(), turn++)) {
            expect_separate_bits<TypeParam>(layer, following, {}, {1});
            if (this->HasFailure()) return;
        }
    }
}

TYPED_TEST(FusedParts, HaveTheBitsOfSeparateStepsOnAnyNumberOfThreads) {
    size_t turn = this->type();
    for (const Following& following : kParts) {
        for (const LayerCase& layer : share(large_tensors(), turn++)) {
            expect_separate_bits<TypeParam>(layer, following, {}, share<int32_t>({1, 2, 3}, turn++));
            if (this->HasFailure()) return;
        }
    }
}

TYPED_TEST(FusedParts, HaveTheBitsOfSeparateStepsOnEveryKindOfInput) {
    size_t turn = this->type();
    for (const Fill fill : kFills) {
        for (const bool last : {false, true}) {
            for (const Following& following :
                 share(std::vector<Following>(std::begin(kParts), std::end(kParts)), turn++)) {
                expect_separate_bits<TypeParam>({Family::kBatch, 3, 7, 70, 1, last}, following, {}, {1}, fill);
                if (this->HasFailure()) return;
            }
        }
    }
}

TYPED_TEST(FusedParts, WriteOverTheirInputs) {
    for (const Following& following : kParts) {
        for (const LayerCase& layer : kTypical) {
            for (const auto in_place : {LayerOptions::kOverX, LayerOptions::kOverDy, LayerOptions::kOverResidual}) {
                if (in_place == LayerOptions::kOverResidual && !following.residual) continue;
                LayerOptions options;
                options.in_place = in_place;
                expect_separate_bits<TypeParam>(layer, following, options, {2});
                if (this->HasFailure()) return;
            }
        }
    }
}

TYPED_TEST(FusedParts, TakeAndGiveWhatIsWanted) {
    for (const Following& following : kParts) {
        for (const LayerCase& layer : kTypical) {
            for (int without = 0; without < 4; ++without) {
                SCOPED_TRACE(without);
                LayerOptions options;
                options.weight = without != 0 && without != 2;
                options.bias = without != 1 && without != 2;
                options.dresidual = without != 3;
                expect_separate_bits<TypeParam>(layer, following, options, {2});
                if (this->HasFailure()) return;
            }
        }
    }
}

TYPED_TEST(FusedParts, ComposeToTheFusedPassesToTheBit) {
    for (const Following& following : kFollowing) {
        for (const LayerCase& layer : kTypical) {
            SCOPED_TRACE(testing::Message() << layer << ", " << following);
            const LayerInputs<TypeParam> in = fused_inputs<TypeParam>(layer, following);
            const LayerOptions options = fused_options(following, {.threads = 2});
            const LayerResults<TypeParam> whole = run_layer(*supported_tables().back(), layer, in, options);
            const PartsOf<TypeParam> parts(*supported_tables().back(), layer, in, options);
            const Statistics s = parts.statistics(1);
            EXPECT_TRUE(same_bits(s.mean, whole.mean) && same_bits(s.invstd, whole.invstd));
            Parts<TypeParam> got(layer);
            parts.forward(s, got);
            parts.backward(s, got);
            EXPECT_TRUE(same_bits(values<TypeParam>(got.y), values<TypeParam>(whole.y)));
            EXPECT_TRUE(same_bits(values<TypeParam>(got.dx), values<TypeParam>(whole.dx)));
            EXPECT_TRUE(same_bits(values<TypeParam>(got.dresidual), values<TypeParam>(whole.dresidual)));
            EXPECT_TRUE(got.mask == whole.mask);
            if (this->HasFailure()) return;
        }
    }
}

/// In place, outputs go through the cache; elsewhere, and of this size, past it.
TEST(FusedPartsOf, OutputsLargerThanTheCache) {
    const int64_t elements = std::min<int64_t>(parallel::last_level_cache_bytes() / 8 + 4096, 16 << 20);
    const Following following{Activation::kRelu, true, true};
    for (const bool last : {false, true}) {
        const LayerCase layer{Family::kBatch, 4, 50, elements / 200 + 1, 1, last};
        const LayerInputs<Float32> in = fused_inputs<Float32>(layer, following);
        const Statistics s = PartsOf<Float32>(*supported_tables().back(), layer, in, {}).statistics(1);
        Parts<Float32> cached(layer), streamed(layer);
        for (Parts<Float32>* const out : {&cached, &streamed}) {
            LayerOptions options = fused_options(following, {.threads = 2});
            if (out == &cached) options.in_place = LayerOptions::kOverX;
            const PartsOf<Float32> parts(*supported_tables().back(), layer, in, options);
            parts.forward(s, *out);
            parts.backward(s, *out);
        }
        expect_same(streamed, cached);
        expect_same(streamed, separate_parts<Float32>(layer, in, following, s, {}));
    }
}

}  // namespace
}  // namespace ni::test
