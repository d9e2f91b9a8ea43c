#include "norminterop/channel.h"

#include "api/fusion.h"
#include "api/norm_call.h"
#include "kernels/channel/channel_norm.h"

using namespace ni;
using namespace ni::api;

namespace {

using ChannelCall = NormCall<ni_channel_shape, ChannelTensor>;

ni_status apply(const ni_channel_shape* shape, const void* x, const double* mean, const double* invstd,
                const void* weight, const void* bias, void* y, const ForwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(check_buffers({
        call.input("x", x),
        call.read_statistics("mean", mean),
        call.read_statistics("invstd", invstd),
        call.read_parameters("weight", weight, Need::kOptional),
        call.read_parameters("bias", bias, Need::kOptional),
        call.output("y", y, call.data_need(), "x", "residual"),
        fusion.residual_buffer(call),
        fusion.mask_buffer(call),
    }));
    if (call.empty()) return NI_STATUS_OK;
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.apply(As<E>::data(x), mean, invstd, As<E>::affine(weight, bias),
                                                   As<E>::data(y), fusion.as<E>());
    });
}

ni_status backward_reduce(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                          const double* invstd, const void* weight, double* sum_dy, double* sum_dy_xmu,
                          const BackwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    NI_RETURN_IF_FAILED(check_buffers({
        call.input("dy", dy),
        call.input("x", x),
        call.read_statistics("mean", mean),
        fusion.invstd_buffer(call, invstd),
        call.read_parameters("weight", weight, Need::kOptional),
        fusion.bias_buffer(call),
        call.write_statistics("sum_dy", sum_dy, Need::kRequired),
        call.write_statistics("sum_dy_xmu", sum_dy_xmu, Need::kRequired),
        fusion.mask_buffer(call),
    }));
    if (call.empty()) {
        call.zero(sum_dy);
        call.zero(sum_dy_xmu);
        return NI_STATUS_OK;
    }
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.backward_reduce(As<E>::data(dy), As<E>::data(x), mean, invstd,
                                                             As<E>::parameters(weight), sum_dy, sum_dy_xmu,
                                                             fusion.as<E>());
    });
}

ni_status backward_apply(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                         const double* invstd, const void* weight, const double* sum_dy, const double* sum_dy_xmu,
                         double count, void* dx, const BackwardFusion& fusion) {
    ChannelCall call;
    NI_RETURN_IF_FAILED(call.open(shape));
    NI_RETURN_IF_FAILED(fusion.check());
    if (!(count > 0)) return fail(NI_STATUS_INVALID_ARGUMENT, "count is %g, expected more than 0", count);
    NI_RETURN_IF_FAILED(check_buffers({
        call.input("dy", dy),
        call.input("x", x),
        call.read_statistics("mean", mean),
        call.read_statistics("invstd", invstd),
        call.read_parameters("weight", weight, Need::kOptional),
        fusion.bias_buffer(call),
        call.read_statistics("sum_dy", sum_dy),
        call.read_statistics("sum_dy_xmu", sum_dy_xmu),
        call.output("dx", dx, call.data_need(), "dy", "x"),
        fusion.mask_buffer(call),
        fusion.dresidual_buffer(call),
    }));
    if (call.empty()) return NI_STATUS_OK;
    return call.run([&](auto e, const auto& kernels) {
        using E = decltype(e);
        ChannelNorm<E>{kernels, call.tensor}.backward_apply(As<E>::data(dy), As<E>::data(x), mean, invstd,
                                                            As<E>::parameters(weight), sum_dy, sum_dy_xmu, count,
                                                            As<E>::data(dx), fusion.as<E>());
    });
}

}  // namespace

ni_status ni_channel_statistics(const ni_channel_shape* shape, const void* x, double* mean, double* m2) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.write_statistics("mean", mean, Need::kRequired),
            call.write_statistics("m2", m2, Need::kRequired),
        }));
        if (call.empty()) {
            call.zero(mean);
            call.zero(m2);
            return NI_STATUS_OK;
        }
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            ChannelNorm<E>{kernels, call.tensor}.statistics(As<E>::data(x), mean, m2);
        });
    });
}

ni_status ni_channel_apply(const ni_channel_shape* shape, const void* x, const double* mean, const double* invstd,
                           const void* weight, const void* bias, void* y) {
    return guarded([&] { return apply(shape, x, mean, invstd, weight, bias, y, {}); });
}

ni_status ni_channel_act_apply(const ni_channel_shape* shape, const void* x, const double* mean, const double* invstd,
                               const void* weight, const void* bias, void* y, int32_t activation, const void* residual,
                               uint8_t* mask) {
    return guarded([&] { return apply(shape, x, mean, invstd, weight, bias, y, {activation, residual, mask}); });
}

ni_status ni_channel_backward_reduce(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                                     double* sum_dy, double* sum_dy_xmu) {
    return guarded([&] { return backward_reduce(shape, dy, x, mean, nullptr, nullptr, sum_dy, sum_dy_xmu, {}); });
}

ni_status ni_channel_act_backward_reduce(const ni_channel_shape* shape, const void* dy, const void* x,
                                         const double* mean, const double* invstd, const void* weight, const void* bias,
                                         double* sum_dy, double* sum_dy_xmu, int32_t activation, const uint8_t* mask) {
    return guarded([&] {
        return backward_reduce(shape, dy, x, mean, invstd, weight, sum_dy, sum_dy_xmu,
                               {bias, activation, mask, nullptr});
    });
}

ni_status ni_channel_backward_apply(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                                    const double* invstd, const void* weight, const double* sum_dy,
                                    const double* sum_dy_xmu, double count, void* dx) {
    return guarded(
        [&] { return backward_apply(shape, dy, x, mean, invstd, weight, sum_dy, sum_dy_xmu, count, dx, {}); });
}

ni_status ni_channel_act_backward_apply(const ni_channel_shape* shape, const void* dy, const void* x,
                                        const double* mean, const double* invstd, const void* weight, const void* bias,
                                        const double* sum_dy, const double* sum_dy_xmu, double count, void* dx,
                                        int32_t activation, const uint8_t* mask, void* dresidual) {
    return guarded([&] {
        return backward_apply(shape, dy, x, mean, invstd, weight, sum_dy, sum_dy_xmu, count, dx,
                              {bias, activation, mask, dresidual});
    });
}
