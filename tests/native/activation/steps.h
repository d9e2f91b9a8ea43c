// The steps that a fused pass puts together, one by one, as plain loops: what follows a normalization, and its
// gradient. SiLU has bits of its own, which are the kernels'; activation/silu_test.cpp compares those with the formula.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/activation/fused.h"
#include "kernels/registry.h"
#include "support/numbers.h"

namespace ni::test {

/// The sum of two numbers, rounded once. Of two numbers of 16 bits, that in long double is exact or as good as that.
template <class E>
typename E::Data sum_of(typename E::Data a, typename E::Data b) {
    if constexpr (kIs16Bit<E>) {
        return Type<E>::of(static_cast<long double>(Type<E>::value(a)) + static_cast<long double>(Type<E>::value(b)));
    } else {
        return a + b;
    }
}

/// Whether ReLU lets a gradient pass.
template <class E>
bool is_open(typename E::Data z) {
    return !(Type<E>::value(z) <= 0);
}

template <class E>
typename E::Data relu_of(typename E::Data z) {
    return is_open<E>(z) ? z : typename E::Data{};
}

/// SiLU of stored numbers, and g of it, by the scalar kernels.
template <class E>
std::vector<typename E::Data> silu_of(const std::vector<typename E::Data>& z) {
    const auto length = static_cast<int64_t>(z.size());
    std::vector<typename E::Data> y(z.size());
    kScalarKernels.of(E()).planes_activate(z.data(), nullptr, {1, length, length}, kCopy<typename E::Constant>,
                                           Activation::kSilu, Store::kCached, y.data(), {nullptr, 0});
    return y;
}
template <class E>
std::vector<typename E::Data> silu_gradient_of(const std::vector<typename E::Data>& dy,
                                               const std::vector<typename E::Data>& z) {
    const auto length = static_cast<int64_t>(z.size());
    std::vector<typename E::Data> g(z.size());
    kScalarKernels.of(E()).planes_gated_scale(dy.data(), z.data(), {nullptr, 0}, {1, length, length},
                                              kCopy<typename E::Constant>, Activation::kSilu, 1, Store::kCached,
                                              g.data(), {nullptr, Store::kCached});
    return g;
}

/// What follows a normalization whose output, rounded, is z. `residual` is empty where there is none.
template <class E>
struct Steps {
    using Data = typename E::Data;

    Steps(Activation activation, const std::vector<Data>& of_norm, const std::vector<Data>& residual)
        : kind(activation), z(of_norm) {
        for (size_t i = 0; i < residual.size(); ++i) z[i] = sum_of<E>(z[i], residual[i]);
        if (kind == Activation::kSilu) {
            y = silu_of<E>(z);
            return;
        }
        for (const Data value : z) y.push_back(kind == Activation::kRelu ? relu_of<E>(value) : value);
    }

    /// The gradient of z.
    std::vector<Data> gradient(const std::vector<Data>& dy) const {
        if (kind == Activation::kSilu) return silu_gradient_of<E>(dy, z);
        std::vector<Data> g = dy;
        for (size_t i = 0; i < g.size(); ++i)
            if (kind == Activation::kRelu && !is_open<E>(z[i])) g[i] = Data{};
        return g;
    }

    std::vector<uint8_t> mask() const {
        std::vector<uint8_t> bytes((z.size() + 7) / 8);
        for (size_t i = 0; i < z.size(); ++i)
            if (is_open<E>(z[i])) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | 1U << i % 8);
        return bytes;
    }

    Activation kind;
    std::vector<Data> z, y;
};

}  // namespace ni::test
