// A layer with an activation, and the separate steps that it stands for.
#pragma once

#include <ostream>
#include <vector>

#include "activation/steps.h"
#include "layers/layer_case.h"

namespace ni::test {

/// What follows the layer, and how its backward knows of it.
struct Following {
    Activation activation;
    bool residual, mask;
};
constexpr Following kFollowing[] = {{Activation::kRelu, false, false},
                                    {Activation::kRelu, true, true},
                                    {Activation::kSilu, false, false},
                                    {Activation::kRelu, false, true}};

inline std::ostream& operator<<(std::ostream& out, const Following& following) {
    return out << (following.activation == Activation::kRelu ? "relu" : "silu")
               << (following.residual ? ", residual" : "") << (following.mask ? ", mask" : "");
}

/// The inputs of a layer, with a residual if it is wanted.
template <class E>
LayerInputs<E> fused_inputs(const LayerCase& layer, const Following& following, Fill fill = Fill::kNormal) {
    LayerInputs<E> in(layer, fill);
    if (following.residual) in.residual = filled_as<E>(Fill::kNormal, layer.elements(), 7);
    return in;
}

inline LayerOptions fused_options(const Following& following, LayerOptions options = {}) {
    options.activation = following.activation;
    options.mask = following.mask;
    return options;
}

/// The layer alone, then the steps; backward, the steps' gradient, then the layer's of that.
template <class E>
LayerResults<E> separately(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in,
                           const LayerOptions& options) {
    LayerInputs<E> plain_inputs = in;
    plain_inputs.residual.clear();
    LayerOptions plain = options;
    plain.activation = Activation::kNone;
    plain.mask = false;
    plain.in_place = LayerOptions::kNowhere;
    plain.threads = 1;
    const Steps<E> steps(options.activation, run_layer(table, layer, plain_inputs, plain).y, in.residual);
    plain_inputs.dy = steps.gradient(in.dy);
    LayerResults<E> results = run_layer(table, layer, plain_inputs, plain);
    results.y = steps.y;
    if (options.mask) results.mask = steps.mask();
    if (options.mask && options.dresidual && !in.residual.empty()) results.dresidual = plain_inputs.dy;
    return results;
}

}  // namespace ni::test
