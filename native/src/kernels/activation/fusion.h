// What may follow a normalization, as the functions of the layers take it.
#pragma once

#include <stdint.h>

#include "kernels/kernel_types.h"

namespace ni {

/// What follows in the forward: y = activation(z + residual), or of z alone where there is no residual. Residual and
/// mask are ReLU's. In the mask, which may be absent, go the bits of all elements whose gradient passes.
template <class E>
struct FusedForward {
    Activation activation = Activation::kNone;
    const typename E::Data* residual = nullptr;
    uint8_t* mask = nullptr;

    explicit operator bool() const { return activation != Activation::kNone; }
};

/// What its backward takes. Where there is no mask, z is x normalized again, which takes the bias. dresidual, the
/// gradient of z + residual, is null if not wanted, and wants a mask.
template <class E>
struct FusedBackward {
    Activation activation = Activation::kNone;
    const typename E::Parameter* bias = nullptr;
    const uint8_t* mask = nullptr;
    typename E::Data* dresidual = nullptr;

    explicit operator bool() const { return activation != Activation::kNone; }
    bool reads_x() const { return activation != Activation::kNone && !mask; }
};

}  // namespace ni
