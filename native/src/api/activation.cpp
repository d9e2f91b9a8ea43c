#include "norminterop/activation.h"

#include "api/fusion.h"

using namespace ni::api;

namespace {

ni_status check_activation(int32_t activation) {
    if (activation >= NI_ACTIVATION_NONE && activation <= NI_ACTIVATION_SILU) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "activation is %d, expected 0 (none), 1 (relu) or 2 (silu)", activation);
}

/// Residuals and masks are ReLU's.
ni_status check_of_relu(const char* name, const void* buffer, int32_t activation) {
    if (buffer == nullptr || activation == NI_ACTIVATION_RELU) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "activation is %d, expected 1 (relu), because %s is not null", activation,
                name);
}

}  // namespace

ni_status ForwardFusion::check() const {
    NI_RETURN_IF_FAILED(check_activation(activation));
    NI_RETURN_IF_FAILED(check_of_relu("residual", residual, activation));
    return check_of_relu("mask", mask, activation);
}

ni_status BackwardFusion::check() const {
    NI_RETURN_IF_FAILED(check_activation(activation));
    NI_RETURN_IF_FAILED(check_of_relu("mask", mask, activation));
    NI_RETURN_IF_FAILED(check_of_relu("dresidual", dresidual, activation));
    if (dresidual == nullptr || mask != nullptr) return NI_STATUS_OK;
    return fail(NI_STATUS_NULL_POINTER, "mask is null, expected that of the forward, because dresidual is not null");
}

ni_status ni_activation_mask_bytes(int64_t elements, int64_t* bytes) {
    if (bytes == nullptr) return fail(NI_STATUS_NULL_POINTER, "bytes is null");
    if (elements < 0) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "elements is %lld, expected at least 0",
                    static_cast<long long>(elements));
    }
    *bytes = mask_bytes(elements);
    return NI_STATUS_OK;
}
