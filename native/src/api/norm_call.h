// What calls on data tensors have in common: the descriptor, the kernels, and the sizes of arguments.
#pragma once

#include <string.h>

#include "api/call.h"
#include "api/validate.h"
#include "dispatch/dispatch.h"
#include "kernels/channel/channel_constants.h"
#include "parallel/parallel.h"

namespace ni::api {

/// Pointers of the C API as those of a data type.
template <class E>
struct As {
    using Data = typename E::Data;
    using Parameter = typename E::Parameter;
    static const Data* data(const void* p) { return static_cast<const Data*>(p); }
    static Data* data(void* p) { return static_cast<Data*>(p); }
    static const Parameter* parameters(const void* p) { return static_cast<const Parameter*>(p); }
    static Parameter* parameters(void* p) { return static_cast<Parameter*>(p); }
    static Affine<Parameter> affine(const void* weight, const void* bias) {
        return {parameters(weight), parameters(bias)};
    }
    static ParameterGradients<Parameter> gradients(void* weight, void* bias, int32_t mode) {
        return {parameters(weight), parameters(bias), mode == NI_GRADIENT_MODE_ACCUMULATE};
    }
};

/// A call whose descriptor is a Shape, which check_shape() turns into a Tensor.
template <class Shape, class Tensor>
struct NormCall {
    Tensor tensor{};
    const KernelTable* kernels = nullptr;
    int32_t data_type = 0;

    /// Checks the descriptor and finds the kernels.
    ni_status open(const Shape* shape) {
        const auto& choice = dispatch::active();
        if (choice.kernels == nullptr) return fail(NI_STATUS_UNSUPPORTED_ISA, "%s", choice.error);
        kernels = choice.kernels;
        NI_RETURN_IF_FAILED(check_shape(shape, &tensor));
        data_type = shape->data_type;
        return NI_STATUS_OK;
    }

    /// body(E(), kernels) for the data type of the call, which is known.
    template <class Body>
    ni_status run(Body body) const {
        switch (data_type) {
            case NI_DATA_TYPE_FLOAT64:
                body(Float64(), kernels->of(Float64()));
                break;
            case NI_DATA_TYPE_FLOAT16:
                body(Float16(), kernels->of(Float16()));
                break;
            case NI_DATA_TYPE_BFLOAT16:
                body(BFloat16(), kernels->of(BFloat16()));
                break;
            default:
                body(Float32(), kernels->of(Float32()));
                break;
        }
        parallel::publish_streamed_stores();
        return NI_STATUS_OK;
    }

    bool empty() const { return tensor.elements() == 0; }
    Need data_need() const { return empty() ? Need::kOptional : Need::kRequired; }

    Buffer input(const char* name, const void* data) const { return input(name, data, data_need()); }
    Buffer input(const char* name, const void* data, Need need) const {
        return {name, data, data_bytes(), need, Access::kRead, element_bytes(data_type), {}};
    }
    Buffer output(const char* name, const void* data, Need need, const char* same_as, const char* or_as) const {
        return {name, data, data_bytes(), need, Access::kWrite, element_bytes(data_type), {same_as, or_as}};
    }
    Buffer read_parameters(const char* name, const void* data, Need need) const {
        return {name, data, parameter_bytes(), need, Access::kRead, parameter_element(), {}};
    }
    Buffer write_parameters(const char* name, const void* data, Need need = Need::kOptional) const {
        return {name, data, parameter_bytes(), need, Access::kWrite, parameter_element(), {}};
    }
    Buffer read_statistics(const char* name, const double* data) const {
        const Need need = tensor.statistics() == 0 ? Need::kOptional : Need::kRequired;
        return {name, data, statistics_bytes(), need, Access::kRead, alignof(double), {}};
    }
    Buffer write_statistics(const char* name, const double* data, Need need) const {
        return {name, data, statistics_bytes(), need, Access::kWrite, alignof(double), {}};
    }

    /// The arguments of a forward pass that takes its statistics from x and keeps nothing else, and of what follows it.
    template <class... Fused>
    ni_status check_forward(const void* x, const void* weight, const void* bias, double eps, const double* saved_mean,
                            const double* saved_invstd, const void* y, const Fused&... fused) const {
        NI_RETURN_IF_FAILED(check_eps(eps));
        return check_buffers({
            input("x", x),
            read_parameters("weight", weight, Need::kOptional),
            read_parameters("bias", bias, Need::kOptional),
            write_statistics("saved_mean", saved_mean, Need::kOptional),
            write_statistics("saved_invstd", saved_invstd, Need::kOptional),
            output("y", y, data_need(), "x", "residual"),
            fused...,
        });
    }

    /// The arguments of a backward pass with the statistics that the forward saved, and of what is before it.
    template <class... Fused>
    ni_status check_backward(const void* dy, const void* x, const void* weight, const double* saved_mean,
                             const double* saved_invstd, int32_t gradient_mode, const void* dx, const void* dweight,
                             const void* dbias, const Fused&... fused) const {
        NI_RETURN_IF_FAILED(check_gradient_mode(gradient_mode));
        return check_buffers({
            input("dy", dy),
            input("x", x),
            read_parameters("weight", weight, Need::kOptional),
            read_statistics("saved_mean", saved_mean),
            read_statistics("saved_invstd", saved_invstd),
            output("dx", dx, Need::kOptional, "dy", "x"),
            write_parameters("dweight", dweight),
            write_parameters("dbias", dbias),
            fused...,
        });
    }

    void zero(double* statistics) const {
        if (statistics != nullptr) memset(statistics, 0, static_cast<size_t>(statistics_bytes()));
    }

    /// The gradients of no samples are zero.
    ni_status no_gradients(int32_t mode, void* dweight, void* dbias) const {
        if (mode == NI_GRADIENT_MODE_ACCUMULATE) return NI_STATUS_OK;
        for (void* gradient : {dweight, dbias}) {
            if (gradient != nullptr) memset(gradient, 0, static_cast<size_t>(parameter_bytes()));
        }
        return NI_STATUS_OK;
    }

private:
    int32_t parameter_element() const {
        return data_type == NI_DATA_TYPE_FLOAT64 ? int32_t{sizeof(double)} : int32_t{sizeof(float)};
    }
    int64_t data_bytes() const { return tensor.elements() * element_bytes(data_type); }
    int64_t parameter_bytes() const { return tensor.parameters() * parameter_element(); }
    int64_t statistics_bytes() const { return tensor.statistics() * static_cast<int64_t>(sizeof(double)); }
};

}  // namespace ni::api
