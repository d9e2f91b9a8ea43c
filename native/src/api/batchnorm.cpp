#include "norminterop/batchnorm.h"

#include "api/fusion.h"
#include "api/norm_call.h"
#include "kernels/channel/channel_norm.h"

using namespace ni;
using namespace ni::api;

namespace {

using ChannelCall = NormCall<ni_channel_shape, ChannelTensor>;

ni_status forward_training(const ni_channel_shape* shape, const void* x, const void* weight, const void* bias,
                           double eps, double momentum, void* running_mean, void* running_var, double* saved_mean,
                           double* saved_invstd, void* y, const ForwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(check_eps(eps));
    NI_RETURN_IF_FAILED(check_running_buffers(running_mean, running_var));
    NI_RETURN_IF_FAILED(check_buffers({
        call.input("x", x),
        call.read_parameters("weight", weight, Need::kOptional),
        call.read_parameters("bias", bias, Need::kOptional),
        call.write_parameters("running_mean", running_mean),
        call.write_parameters("running_var", running_var),
        call.write_statistics("saved_mean", saved_mean, Need::kOptional),
        call.write_statistics("saved_invstd", saved_invstd, Need::kOptional),
        call.output("y", y, call.data_need(), "x", "residual"),
        fusion.residual_buffer(call),
        fusion.mask_buffer(call),
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
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.forward_training(
            As<E>::data(x), As<E>::affine(weight, bias), eps,
            {As<E>::parameters(running_mean), As<E>::parameters(running_var), 1 - momentum, momentum}, saved_mean,
            saved_invstd, As<E>::data(y), fusion.as<E>());
    });
}

ni_status forward_inference(const ni_channel_shape* shape, const void* x, const void* weight, const void* bias,
                            double eps, const void* mean, const void* var, void* y, const ForwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(check_eps(eps));
    NI_RETURN_IF_FAILED(check_buffers({
        call.input("x", x),
        call.read_parameters("weight", weight, Need::kOptional),
        call.read_parameters("bias", bias, Need::kOptional),
        call.read_parameters("mean", mean, Need::kRequired),
        call.read_parameters("var", var, Need::kRequired),
        call.output("y", y, call.data_need(), "x", "residual"),
        fusion.residual_buffer(call),
        fusion.mask_buffer(call),
    }));
    if (call.empty()) return NI_STATUS_OK;
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.forward_inference(As<E>::data(x), As<E>::affine(weight, bias), eps,
                                                               As<E>::parameters(mean), As<E>::parameters(var),
                                                               As<E>::data(y), fusion.as<E>());
    });
}

ni_status backward_training(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                            const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                            void* dweight, void* dbias, const BackwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(call.check_backward(dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias,
                                            fusion.bias_buffer(call), fusion.mask_buffer(call),
                                            fusion.dresidual_buffer(call)));
    if (call.empty()) return call.no_gradients(gradient_mode, dweight, dbias);
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.backward_training(
            As<E>::data(dy), As<E>::data(x), As<E>::parameters(weight), saved_mean, saved_invstd, As<E>::data(dx),
            As<E>::gradients(dweight, dbias, gradient_mode), fusion.as<E>());
    });
}

ni_status backward_inference(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                             double eps, const void* mean, const void* var, int32_t gradient_mode, void* dx,
                             void* dweight, void* dbias, const BackwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(check_eps(eps));
    NI_RETURN_IF_FAILED(check_gradient_mode(gradient_mode));
    NI_RETURN_IF_FAILED(check_buffers({
        call.input("dy", dy),
        call.input("x", x, dweight != nullptr || fusion.reads_x() ? call.data_need() : Need::kOptional),
        call.read_parameters("weight", weight, Need::kOptional),
        fusion.bias_buffer(call),
        call.read_parameters("mean", mean, Need::kRequired),
        call.read_parameters("var", var, Need::kRequired),
        call.output("dx", dx, Need::kOptional, "dy", "x"),
        call.write_parameters("dweight", dweight),
        call.write_parameters("dbias", dbias),
        fusion.mask_buffer(call),
        fusion.dresidual_buffer(call),
    }));
    if (call.empty()) return call.no_gradients(gradient_mode, dweight, dbias);
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.backward_inference(
            As<E>::data(dy), As<E>::data(x), As<E>::parameters(weight), eps, As<E>::parameters(mean),
            As<E>::parameters(var), As<E>::data(dx), As<E>::gradients(dweight, dbias, gradient_mode), fusion.as<E>());
    });
}

}  // namespace

ni_status ni_batchnorm_forward_training(const ni_channel_shape* shape, const void* x, const void* weight,
                                        const void* bias, double eps, double momentum, void* running_mean,
                                        void* running_var, double* saved_mean, double* saved_invstd, void* y) {
    return guarded([&] {
        return forward_training(shape, x, weight, bias, eps, momentum, running_mean, running_var, saved_mean,
                                saved_invstd, y, {});
    });
}

ni_status ni_batchnorm_act_forward_training(const ni_channel_shape* shape, const void* x, const void* weight,
                                            const void* bias, double eps, double momentum, void* running_mean,
                                            void* running_var, double* saved_mean, double* saved_invstd, void* y,
                                            int32_t activation, const void* residual, uint8_t* mask) {
    return guarded([&] {
        return forward_training(shape, x, weight, bias, eps, momentum, running_mean, running_var, saved_mean,
                                saved_invstd, y, {activation, residual, mask});
    });
}

ni_status ni_batchnorm_forward_inference(const ni_channel_shape* shape, const void* x, const void* weight,
                                         const void* bias, double eps, const void* mean, const void* var, void* y) {
    return guarded([&] { return forward_inference(shape, x, weight, bias, eps, mean, var, y, {}); });
}

ni_status ni_batchnorm_act_forward_inference(const ni_channel_shape* shape, const void* x, const void* weight,
                                             const void* bias, double eps, const void* mean, const void* var, void* y,
                                             int32_t activation, const void* residual, uint8_t* mask) {
    return guarded([&] {
        return forward_inference(shape, x, weight, bias, eps, mean, var, y, {activation, residual, mask});
    });
}

ni_status ni_batchnorm_backward_training(const ni_channel_shape* shape, const void* dy, const void* x,
                                         const void* weight, const double* saved_mean, const double* saved_invstd,
                                         int32_t gradient_mode, void* dx, void* dweight, void* dbias) {
    return guarded([&] {
        return backward_training(shape, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias, {});
    });
}

ni_status ni_batchnorm_act_backward_training(const ni_channel_shape* shape, const void* dy, const void* x,
                                             const void* weight, const void* bias, const double* saved_mean,
                                             const double* saved_invstd, int32_t gradient_mode, void* dx, void* dweight,
                                             void* dbias, int32_t activation, const uint8_t* mask, void* dresidual) {
    return guarded([&] {
        return backward_training(shape, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias,
                                 {bias, activation, mask, dresidual});
    });
}

ni_status ni_batchnorm_backward_inference(const ni_channel_shape* shape, const void* dy, const void* x,
                                          const void* weight, double eps, const void* mean, const void* var,
                                          int32_t gradient_mode, void* dx, void* dweight, void* dbias) {
    return guarded([&] {
        return backward_inference(shape, dy, x, weight, eps, mean, var, gradient_mode, dx, dweight, dbias, {});
    });
}

ni_status ni_batchnorm_act_backward_inference(const ni_channel_shape* shape, const void* dy, const void* x,
                                              const void* weight, const void* bias, double eps, const void* mean,
                                              const void* var, int32_t gradient_mode, void* dx, void* dweight,
                                              void* dbias, int32_t activation, const uint8_t* mask, void* dresidual) {
    return guarded([&] {
        return backward_inference(shape, dy, x, weight, eps, mean, var, gradient_mode, dx, dweight, dbias,
                                  {bias, activation, mask, dresidual});
    });
}

ni_status ni_caffe_batchnorm_forward_training(const ni_channel_shape* shape, const void* x, double eps, double fraction,
                                              void* mean_sum, void* var_sum, double* saved_mean, double* saved_invstd,
                                              void* y) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_eps(eps));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.write_parameters("mean_sum", mean_sum, Need::kRequired),
            call.write_parameters("var_sum", var_sum, Need::kRequired),
            call.write_statistics("saved_mean", saved_mean, Need::kOptional),
            call.write_statistics("saved_invstd", saved_invstd, Need::kOptional),
            call.output("y", y, call.data_need(), "x", ""),
        }));
        if (call.empty()) {
            call.zero(saved_mean);
            call.zero(saved_invstd);
            return NI_STATUS_OK;
        }
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            ChannelNorm<E>{kernels, call.tensor}.forward_training(
                As<E>::data(x), {}, eps, {As<E>::parameters(mean_sum), As<E>::parameters(var_sum), fraction, 1},
                saved_mean, saved_invstd, As<E>::data(y));
        });
    });
}
