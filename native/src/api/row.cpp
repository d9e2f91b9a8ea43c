#include "norminterop/row.h"

#include "api/norm_call.h"
#include "kernels/row/row_norm.h"

using namespace ni;
using namespace ni::api;

using RowCall = NormCall<ni_row_shape, RowTensor>;

ni_status ni_layernorm_forward(const ni_row_shape* shape, const void* x, const void* weight, const void* bias,
                               double eps, double* saved_mean, double* saved_invstd, void* y) {
    return guarded([&]() -> ni_status {
        RowCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(call.check_forward(x, weight, bias, eps, saved_mean, saved_invstd, y));
        if (call.empty()) return NI_STATUS_OK;
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            RowNorm<E>{kernels, call.tensor, true}.forward(As<E>::data(x), As<E>::affine(weight, bias), eps, saved_mean,
                                                           saved_invstd, As<E>::data(y));
        });
    });
}

ni_status ni_layernorm_backward(const ni_row_shape* shape, const void* dy, const void* x, const void* weight,
                                const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                                void* dweight, void* dbias) {
    return guarded([&]() -> ni_status {
        RowCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(
            call.check_backward(dy, x, weight, saved_mean, saved_invstd, gradient_mode, dx, dweight, dbias));
        if (call.empty()) return call.no_gradients(gradient_mode, dweight, dbias);
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            RowNorm<E>{kernels, call.tensor, true}.backward(As<E>::data(dy), As<E>::data(x), As<E>::parameters(weight),
                                                            saved_mean, saved_invstd, As<E>::data(dx),
                                                            As<E>::gradients(dweight, dbias, gradient_mode));
        });
    });
}

ni_status ni_rmsnorm_forward(const ni_row_shape* shape, const void* x, const void* weight, double eps,
                             double* saved_invrms, void* y) {
    return guarded([&]() -> ni_status {
        RowCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_eps(eps));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.read_parameters("weight", weight, Need::kOptional),
            call.write_statistics("saved_invrms", saved_invrms, Need::kOptional),
            call.output("y", y, call.data_need(), "x", ""),
        }));
        if (call.empty()) return NI_STATUS_OK;
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            RowNorm<E>{kernels, call.tensor, false}.forward(As<E>::data(x), As<E>::affine(weight, nullptr), eps,
                                                            nullptr, saved_invrms, As<E>::data(y));
        });
    });
}

ni_status ni_rmsnorm_backward(const ni_row_shape* shape, const void* dy, const void* x, const void* weight,
                              const double* saved_invrms, int32_t gradient_mode, void* dx, void* dweight) {
    return guarded([&]() -> ni_status {
        RowCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_gradient_mode(gradient_mode));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("dy", dy),
            call.input("x", x),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_statistics("saved_invrms", saved_invrms),
            call.output("dx", dx, Need::kOptional, "dy", "x"),
            call.write_parameters("dweight", dweight),
        }));
        if (call.empty()) return call.no_gradients(gradient_mode, dweight, nullptr);
        return call.run([&](auto e, const auto& kernels) {
            using E = decltype(e);
            RowNorm<E>{kernels, call.tensor, false}.backward(As<E>::data(dy), As<E>::data(x), As<E>::parameters(weight),
                                                             nullptr, saved_invrms, As<E>::data(dx),
                                                             As<E>::gradients(dweight, nullptr, gradient_mode));
        });
    });
}
