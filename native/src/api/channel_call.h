// What the functions over per-channel tensors have in common: the descriptor, the kernels, and the sizes of arguments.
#pragma once

#include <string.h>

#include "api/call.h"
#include "api/validate.h"
#include "dispatch/dispatch.h"
#include "kernels/channel/channel_norm.h"

namespace ni::api {

inline const float* floats(const void* p) { return static_cast<const float*>(p); }
inline float* floats(void* p) { return static_cast<float*>(p); }

struct ChannelCall {
    ChannelTensor tensor{};
    const KernelTable* kernels = nullptr;

    /// Checks the descriptor and finds the kernels.
    ni_status open(const ni_channel_shape* shape) {
        const auto& choice = dispatch::active();
        if (choice.kernels == nullptr) return fail(NI_STATUS_UNSUPPORTED_ISA, "%s", choice.error);
        kernels = choice.kernels;
        return check_shape(shape, &tensor);
    }

    bool empty() const { return tensor.batch == 0; }
    Need data_need() const { return empty() ? Need::kOptional : Need::kRequired; }

    Buffer input(const char* name, const void* data) const { return input(name, data, data_need()); }
    Buffer input(const char* name, const void* data, Need need) const {
        return {name, data, data_bytes(), need, Access::kRead, alignof(float), {}};
    }
    Buffer output(const char* name, const void* data, Need need, const char* same_as, const char* or_as) const {
        return {name, data, data_bytes(), need, Access::kWrite, alignof(float), {same_as, or_as}};
    }
    Buffer read_parameters(const char* name, const void* data, Need need) const {
        return {name, data, parameter_bytes(), need, Access::kRead, alignof(float), {}};
    }
    Buffer write_parameters(const char* name, const void* data) const {
        return {name, data, parameter_bytes(), Need::kOptional, Access::kWrite, alignof(float), {}};
    }
    Buffer read_doubles(const char* name, const double* data) const {
        return {name, data, double_bytes(), Need::kRequired, Access::kRead, alignof(double), {}};
    }
    Buffer write_doubles(const char* name, const double* data, Need need) const {
        return {name, data, double_bytes(), need, Access::kWrite, alignof(double), {}};
    }

    void zero(double* values) const {
        if (values != nullptr) memset(values, 0, static_cast<size_t>(double_bytes()));
    }

private:
    int64_t data_bytes() const { return tensor.elements() * static_cast<int64_t>(sizeof(float)); }
    int64_t parameter_bytes() const { return tensor.channels * static_cast<int64_t>(sizeof(float)); }
    int64_t double_bytes() const { return tensor.channels * static_cast<int64_t>(sizeof(double)); }
};

}  // namespace ni::api
