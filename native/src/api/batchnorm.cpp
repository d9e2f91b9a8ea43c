#include "norminterop/batchnorm.h"

#include "api/call.h"
#include "api/channel_call.h"

using namespace ni;
using namespace ni::api;

namespace {

ni_status check_gradient_mode(int32_t mode) {
    if (mode == NI_GRADIENT_MODE_OVERWRITE || mode == NI_GRADIENT_MODE_ACCUMULATE) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "gradient_mode is %d, expected 0 (overwrite) or 1 (accumulate)", mode);
}

ParameterGradients gradients_of(void* dweight, void* dbias, int32_t mode) {
    return {floats(dweight), floats(dbias), mode == NI_GRADIENT_MODE_ACCUMULATE};
}

/// The gradients of no samples are zero.
void store_empty_gradients(const ChannelCall& call, const ParameterGradients& gradients) {
    if (gradients.accumulate) return;
    for (float* gradient : {gradients.weight, gradients.bias}) {
        if (gradient != nullptr) memset(gradient, 0, static_cast<size_t>(call.tensor.channels) * sizeof(float));
    }
}

}  // namespace

ni_status ni_batchnorm_forward_training(const ni_channel_shape* shape, const void* x, const void* weight,
                                        const void* bias, double eps, double momentum, void* running_mean,
                                        void* running_var, double* saved_mean, double* saved_invstd, void* y) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_eps(eps));
        if ((running_mean == nullptr) != (running_var == nullptr)) {
            return fail(NI_STATUS_NULL_POINTER, "%s is null, expected running_mean and running_var or neither",
                        running_mean == nullptr ? "running_mean" : "running_var");
        }
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_parameters("bias", bias, Need::kOptional),
            call.write_parameters("running_mean", running_mean),
            call.write_parameters("running_var", running_var),
            call.write_doubles("saved_mean", saved_mean, Need::kOptional),
            call.write_doubles("saved_invstd", saved_invstd, Need::kOptional),
            call.output("y", y, call.data_need(), "x", ""),
        }));
        if (call.tensor.values_per_channel() == 1) {
            return fail(NI_STATUS_INVALID_ARGUMENT,
                        "expected more than 1 value per channel when training, got batch 1, channels %lld, spatial 1",
                        static_cast<long long>(call.tensor.channels));
        }
        if (call.empty()) {
            call.zero(saved_mean);
            call.zero(saved_invstd);
            return NI_STATUS_OK;
        }
        batchnorm_forward_training(*call.kernels, call.tensor, floats(x), {floats(weight), floats(bias)}, eps,
                                   {floats(running_mean), floats(running_var), momentum}, saved_mean, saved_invstd,
                                   floats(y));
        return NI_STATUS_OK;
    });
}

ni_status ni_batchnorm_forward_inference(const ni_channel_shape* shape, const void* x, const void* weight,
                                         const void* bias, double eps, const void* mean, const void* var, void* y) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_eps(eps));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_parameters("bias", bias, Need::kOptional),
            call.read_parameters("mean", mean, Need::kRequired),
            call.read_parameters("var", var, Need::kRequired),
            call.output("y", y, call.data_need(), "x", ""),
        }));
        if (call.empty()) return NI_STATUS_OK;
        batchnorm_forward_inference(*call.kernels, call.tensor, floats(x), {floats(weight), floats(bias)}, eps,
                                    floats(mean), floats(var), floats(y));
        return NI_STATUS_OK;
    });
}

ni_status ni_batchnorm_backward_training(const ni_channel_shape* shape, const void* dy, const void* x,
                                         const void* weight, const double* saved_mean, const double* saved_invstd,
                                         int32_t gradient_mode, void* dx, void* dweight, void* dbias) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_gradient_mode(gradient_mode));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("dy", dy),
            call.input("x", x),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_doubles("saved_mean", saved_mean),
            call.read_doubles("saved_invstd", saved_invstd),
            call.output("dx", dx, Need::kOptional, "dy", "x"),
            call.write_parameters("dweight", dweight),
            call.write_parameters("dbias", dbias),
        }));
        const ParameterGradients gradients = gradients_of(dweight, dbias, gradient_mode);
        if (call.empty()) {
            store_empty_gradients(call, gradients);
            return NI_STATUS_OK;
        }
        batchnorm_backward_training(*call.kernels, call.tensor, floats(dy), floats(x), floats(weight), saved_mean,
                                    saved_invstd, floats(dx), gradients);
        return NI_STATUS_OK;
    });
}

ni_status ni_batchnorm_backward_inference(const ni_channel_shape* shape, const void* dy, const void* x,
                                          const void* weight, double eps, const void* mean, const void* var,
                                          int32_t gradient_mode, void* dx, void* dweight, void* dbias) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_eps(eps));
        NI_RETURN_IF_FAILED(check_gradient_mode(gradient_mode));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("dy", dy),
            call.input("x", x, dweight != nullptr ? call.data_need() : Need::kOptional),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_parameters("mean", mean, Need::kRequired),
            call.read_parameters("var", var, Need::kRequired),
            call.output("dx", dx, Need::kOptional, "dy", "x"),
            call.write_parameters("dweight", dweight),
            call.write_parameters("dbias", dbias),
        }));
        const ParameterGradients gradients = gradients_of(dweight, dbias, gradient_mode);
        if (call.empty()) {
            store_empty_gradients(call, gradients);
            return NI_STATUS_OK;
        }
        batchnorm_backward_inference(*call.kernels, call.tensor, floats(dy), floats(x), floats(weight), eps,
                                     floats(mean), floats(var), floats(dx), gradients);
        return NI_STATUS_OK;
    });
}
