// Every family of layers on every data type: against the formulas in long double, with the same bits whatever the
// threads and the instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "layers/layer_oracle.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

template <class E>
class Layers : public testing::Test {
protected:
    static const KernelTable& best() { return *supported_tables().back(); }

    /// The part of the layers that this data type takes, of some input.
    static std::vector<LayerCase> share_of(const std::vector<LayerCase>& layers, Fill fill = Fill::kNormal) {
        const auto type = std::find(kTypeNames.begin(), kTypeNames.end(), std::string_view(Type<E>::kName));
        return share(layers, static_cast<size_t>(type - kTypeNames.begin()) + static_cast<size_t>(fill));
    }

    static void expect_oracle(const LayerCase& layer, Fill fill = Fill::kNormal) {
        SCOPED_TRACE(testing::Message() << layer << ", " << name_of(fill));
        const LayerInputs<E> in(layer, fill);
        expect_exact(layer, in, run_layer(best(), layer, in, {.threads = 2}));
    }

    static void expect_scalar_bits(const LayerCase& layer, Fill fill, std::initializer_list<int32_t> threads) {
        const LayerInputs<E> in(layer, fill);
        const LayerResults<E> expected = run_layer(kScalarKernels, layer, in);
        for (const KernelTable* table : supported_tables()) {
            for (const int32_t count : threads) {
                SCOPED_TRACE(testing::Message()
                             << layer << ", " << name_of(fill) << ", " << table->isa << ", " << count << " threads");
                expect_same(run_layer(*table, layer, in, {.threads = count}), expected);
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
TYPED_TEST_SUITE(Layers, DataTypes, TypeNames);

TYPED_TEST(Layers, AgreeWithTheOracleOnSmallTensors) {
    for (const LayerCase& layer : small_layers()) {
        this->expect_oracle(layer);
        if (this->HasFailure()) return;
    }
}

TYPED_TEST(Layers, AgreeWithTheOracleOnLargeTensors) {
    for (const LayerCase& layer : this->share_of(large_layers())) {
        this->expect_oracle(layer);
        if (this->HasFailure()) return;
    }
}

TYPED_TEST(Layers, AgreeWithTheOracleOnEveryKindOfInput) {
    for (const Fill fill : kFills) {
        if (fill == Fill::kNan || fill == Fill::kInfinity) continue;
        for (const LayerCase& layer : this->share_of(typical_layers(), fill)) {
            this->expect_oracle(layer, fill);
            if (this->HasFailure()) return;
        }
    }
}

TYPED_TEST(Layers, HaveTheSameBitsOnAnyNumberOfThreads) {
    for (const LayerCase& layer : this->share_of(large_layers())) {
        this->expect_scalar_bits(layer, Fill::kNormal, {1, 2, 3, 8});
    }
}

TYPED_TEST(Layers, HaveTheSameBitsOnEveryKindOfInput) {
    for (const Fill fill : kFills) {
        for (const LayerCase& layer : this->share_of(typical_layers(), fill))
            this->expect_scalar_bits(layer, fill, {2});
    }
}

TYPED_TEST(Layers, HaveTheSameBitsOnSmallTensors) {
    for (const LayerCase& layer : small_layers()) this->expect_scalar_bits(layer, Fill::kOffset, {1});
}

/// The bar of accuracy, where libraries that keep a mean in one float lose digits.
TEST(LayersAccuracy, OfFloatDataAtAnyOffsetIsTwoMillionths) {
    const std::vector<LayerCase> layers = {{Family::kLayer, 64, 1024},       {Family::kRms, 64, 1024},
                                           {Family::kGroup, 8, 16, 1024, 4}, {Family::kGroup, 8, 16, 1024, 4, true},
                                           {Family::kInstance, 8, 16, 1024}, {Family::kInstance, 8, 16, 1024, 1, true},
                                           {Family::kBatch, 8, 16, 1024},    {Family::kBatch, 8, 16, 1024, 1, true}};
    size_t turn = 0;
    for (const double offset : {0.0, 1e2, 1e3, 1e4}) {
        for (const LayerCase& layer : share(layers, turn++)) {
            SCOPED_TRACE(testing::Message() << layer << ", offset " << offset);
            LayerInputs<Float32> in(layer);
            in.x = normals(layer.elements(), 11, offset);
            std::fill(in.weight.begin(), in.weight.end(), 1.0F);
            std::fill(in.bias.begin(), in.bias.end(), 0.0F);
            const LayerResults<Float32> got = run_layer(*supported_tables().back(), layer, in);
            const LayerExact exact = exact_layer(layer, in);
            long double of_y = 0, of_dx = 0;
            for (size_t i = 0; i < in.x.size(); ++i) {
                of_y = std::max(of_y, std::abs(static_cast<long double>(got.y[i]) - exact.y[i].value));
                of_dx = std::max(of_dx, std::abs(static_cast<long double>(got.dx[i]) - exact.dx[i].value));
            }
            EXPECT_LE(static_cast<double>(of_y), 2e-6);
            EXPECT_LE(static_cast<double>(of_dx), 2e-6);
        }
    }
}

}  // namespace
}  // namespace ni::test
