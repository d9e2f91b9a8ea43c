#include "norminterop/group.h"

#include "api/fusion.h"
#include "api/norm_call.h"
#include "kernels/group/group_norm.h"

using namespace ni;
using namespace ni::api;

namespace {

using GroupCall = NormCall<ni_group_shape, GroupTensor>;

/// Both layers' arguments.
struct Forward {
    const void *x, *weight, *bias;
    double eps, momentum;
    void *running_mean, *running_var;
    double *saved_mean, *saved_invstd;
    void* y;
    const ForwardFusion& fusion;

    ni_status run(const GroupCall& call) const {
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            GroupNorm<E>{kernels, call.tensor}.forward(
                As<E>::data(x), As<E>::affine(weight, bias), eps,
                {As<E>::parameters(running_mean), As<E>::parameters(running_var), 1 - momentum, momentum}, saved_mean,
                saved_invstd, As<E>::data(y), fusion.as<E>());
        });
    }
};

ni_status backward(const GroupCall& call, const void* dy, const void* x, const void* weight, const double* saved_mean,
                   const double* saved_invstd, int32_t gradient_mode, void* dx, void* dweight, void* dbias,
                   const BackwardFusion& fusion) {
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(call.check_backward(dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias,
                                            fusion.bias_buffer(call), fusion.mask_buffer(call),
                                            fusion.dresidual_buffer(call)));
    if (call.empty()) return call.no_gradients(gradient_mode, dweight, dbias);
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        GroupNorm<E>{kernels, call.tensor}.backward(As<E>::data(dy), As<E>::data(x), As<E>::parameters(weight),
                                                    saved_mean, saved_invstd, As<E>::data(dx),
                                                    As<E>::gradients(dweight, dbias, gradient_mode), fusion.as<E>());
    });
}

/// Opens a call whose descriptor is that of instance normalization: one channel per group.
ni_status open_instances(const ni_channel_shape* shape, GroupCall* call) {
    NormCall<ni_channel_shape, ChannelTensor> channels;
    NI_RETURN_IF_FAILED(channels.open(shape));
    const ni_group_shape groups{sizeof(ni_group_shape), shape->data_type, shape->layout,  shape->max_threads,
                                shape->batch,           shape->channels,  shape->spatial, shape->channels};
    return call->open(&groups);
}

ni_status group_forward(const ni_group_shape* shape, const void* x, const void* weight, const void* bias, double eps,
                        double* saved_mean, double* saved_invstd, void* y, const ForwardFusion& fusion) {
    GroupCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(call.check_forward(x, weight, bias, eps, saved_mean, saved_invstd, y,
                                           fusion.residual_buffer(call), fusion.mask_buffer(call)));
    if (call.empty()) return NI_STATUS_OK;
    return Forward{x, weight, bias, eps, 0, nullptr, nullptr, saved_mean, saved_invstd, y, fusion}.run(call);
}

ni_status group_backward(const ni_group_shape* shape, const void* dy, const void* x, const void* weight,
                         const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                         void* dweight, void* dbias, const BackwardFusion& fusion) {
    GroupCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    return backward(call, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias, fusion);
}

ni_status instance_forward(const ni_channel_shape* shape, const void* x, const void* weight, const void* bias,
                           double eps, double momentum, void* running_mean, void* running_var, double* saved_mean,
                           double* saved_invstd, void* y, const ForwardFusion& fusion) {
    GroupCall call;
    NI_RETURN_IF_FAILED(open_instances(shape, &call));
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
    if (call.empty()) return NI_STATUS_OK;
    if (shape->spatial == 1) {
        return fail(NI_STATUS_INVALID_ARGUMENT,
                    "expected more than 1 spatial element when training, got batch %lld, channels %lld, spatial 1",
                    static_cast<long long>(shape->batch), static_cast<long long>(shape->channels));
    }
    return Forward{x, weight, bias, eps, momentum, running_mean, running_var, saved_mean, saved_invstd, y, fusion}.run(
        call);
}

ni_status instance_backward(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                            const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                            void* dweight, void* dbias, const BackwardFusion& fusion) {
    GroupCall call;
    NI_RETURN_IF_FAILED(open_instances(shape, &call));
    return backward(call, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias, fusion);
}

}  // namespace

ni_status ni_groupnorm_forward(const ni_group_shape* shape, const void* x, const void* weight, const void* bias,
                               double eps, double* saved_mean, double* saved_invstd, void* y) {
    return guarded([&] { return group_forward(shape, x, weight, bias, eps, saved_mean, saved_invstd, y, {}); });
}

ni_status ni_groupnorm_backward(const ni_group_shape* shape, const void* dy, const void* x, const void* weight,
                                const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                                void* dweight, void* dbias) {
    return guarded([&] {
        return group_backward(shape, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias, {});
    });
}

ni_status ni_groupnorm_act_forward(const ni_group_shape* shape, const void* x, const void* weight, const void* bias,
                                   double eps, double* saved_mean, double* saved_invstd, void* y, int32_t activation,
                                   const void* residual, uint8_t* mask) {
    return guarded([&] {
        return group_forward(shape, x, weight, bias, eps, saved_mean, saved_invstd, y, {activation, residual, mask});
    });
}

ni_status ni_groupnorm_act_backward(const ni_group_shape* shape, const void* dy, const void* x, const void* weight,
                                    const void* bias, const double* saved_mean, const double* saved_invstd,
                                    int32_t gradient_mode, void* dx, void* dweight, void* dbias, int32_t activation,
                                    const uint8_t* mask, void* dresidual) {
    return guarded([&] {
        return group_backward(shape, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias,
                              {bias, activation, mask, dresidual});
    });
}

ni_status ni_instancenorm_forward(const ni_channel_shape* shape, const void* x, const void* weight, const void* bias,
                                  double eps, double momentum, void* running_mean, void* running_var,
                                  double* saved_mean, double* saved_invstd, void* y) {
    return guarded([&] {
        return instance_forward(shape, x, weight, bias, eps, momentum, running_mean, running_var, saved_mean,
                                saved_invstd, y, {});
    });
}

ni_status ni_instancenorm_backward(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                                   const double* saved_mean, const double* saved_invstd, int32_t gradient_mode,
                                   void* dx, void* dweight, void* dbias) {
    return guarded([&] {
        return instance_backward(shape, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias, {});
    });
}

ni_status ni_instancenorm_act_forward(const ni_channel_shape* shape, const void* x, const void* weight,
                                      const void* bias, double eps, double momentum, void* running_mean,
                                      void* running_var, double* saved_mean, double* saved_invstd, void* y,
                                      int32_t activation, const void* residual, uint8_t* mask) {
    return guarded([&] {
        return instance_forward(shape, x, weight, bias, eps, momentum, running_mean, running_var, saved_mean,
                                saved_invstd, y, {activation, residual, mask});
    });
}

ni_status ni_instancenorm_act_backward(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                                       const void* bias, const double* saved_mean, const double* saved_invstd,
                                       int32_t gradient_mode, void* dx, void* dweight, void* dbias, int32_t activation,
                                       const uint8_t* mask, void* dresidual) {
    return guarded([&] {
        return instance_backward(shape, dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias,
                                 {bias, activation, mask, dresidual});
    });
}
