// What the functions of norminterop/activation.h take beside the arguments of the plain ones, which are run with none
// of it.
#pragma once

#include <stdint.h>

#include "api/norm_call.h"
#include "kernels/activation/fusion.h"
#include "norminterop/activation.h"

namespace ni::api {

/// Bytes of the mask of so many elements, rounded up without a sum that could overflow.
constexpr int64_t mask_bytes(int64_t elements) { return elements / 8 + (elements % 8 != 0 ? 1 : 0); }

struct ForwardFusion {
    int32_t activation = NI_ACTIVATION_NONE;
    const void* residual = nullptr;
    uint8_t* mask = nullptr;

    ni_status check() const;

    template <class Call>
    Buffer residual_buffer(const Call& call) const {
        return call.input("residual", residual, Need::kOptional);
    }
    template <class Call>
    Buffer mask_buffer(const Call& call) const {
        return {"mask", mask, mask_bytes(call.tensor.elements()), Need::kOptional, Access::kWrite, 1, {}};
    }

    template <class E>
    FusedForward<E> as() const {
        return {static_cast<Activation>(activation), As<E>::data(residual), mask};
    }
};

struct BackwardFusion {
    const void* bias = nullptr;
    int32_t activation = NI_ACTIVATION_NONE;
    const uint8_t* mask = nullptr;
    void* dresidual = nullptr;

    ni_status check() const;

    /// Whether x is read whatever the layer needs it for.
    bool reads_x() const { return activation != NI_ACTIVATION_NONE && mask == nullptr; }

    /// invstd where only z takes it.
    template <class Call>
    Buffer invstd_buffer(const Call& call, const double* invstd) const {
        Buffer buffer = call.read_statistics("invstd", invstd);
        if (activation == NI_ACTIVATION_NONE) buffer.need = Need::kOptional;
        return buffer;
    }
    template <class Call>
    Buffer bias_buffer(const Call& call) const {
        return call.read_parameters("bias", bias, Need::kOptional);
    }
    template <class Call>
    Buffer mask_buffer(const Call& call) const {
        return {"mask", mask, mask_bytes(call.tensor.elements()), Need::kOptional, Access::kRead, 1, {}};
    }
    template <class Call>
    Buffer dresidual_buffer(const Call& call) const {
        return call.output("dresidual", dresidual, Need::kOptional, "dy", "");
    }

    template <class E>
    FusedBackward<E> as() const {
        return {static_cast<Activation>(activation), As<E>::parameters(bias), mask, As<E>::data(dresidual)};
    }
};

}  // namespace ni::api
