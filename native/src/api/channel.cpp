#include "norminterop/channel.h"

#include <string.h>

#include "api/call.h"
#include "api/channel_call.h"

using namespace ni;
using namespace ni::api;

ni_status ni_channel_statistics(const ni_channel_shape* shape, const void* x, double* mean, double* m2) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.write_doubles("mean", mean, Need::kRequired),
            call.write_doubles("m2", m2, Need::kRequired),
        }));
        if (call.empty()) {
            call.zero(mean);
            call.zero(m2);
            return NI_STATUS_OK;
        }
        channel_statistics(*call.kernels, call.tensor, floats(x), mean, m2);
        return NI_STATUS_OK;
    });
}

ni_status ni_channel_apply(const ni_channel_shape* shape, const void* x, const double* mean, const double* invstd,
                           const void* weight, const void* bias, void* y) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("x", x),
            call.read_doubles("mean", mean),
            call.read_doubles("invstd", invstd),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_parameters("bias", bias, Need::kOptional),
            call.output("y", y, call.data_need(), "x", ""),
        }));
        if (call.empty()) return NI_STATUS_OK;
        channel_apply(*call.kernels, call.tensor, floats(x), mean, invstd, {floats(weight), floats(bias)}, floats(y));
        return NI_STATUS_OK;
    });
}

ni_status ni_channel_backward_reduce(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                                     double* sum_dy, double* sum_dy_xmu) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("dy", dy),
            call.input("x", x),
            call.read_doubles("mean", mean),
            call.write_doubles("sum_dy", sum_dy, Need::kRequired),
            call.write_doubles("sum_dy_xmu", sum_dy_xmu, Need::kRequired),
        }));
        if (call.empty()) {
            call.zero(sum_dy);
            call.zero(sum_dy_xmu);
            return NI_STATUS_OK;
        }
        channel_backward_reduce(*call.kernels, call.tensor, floats(dy), floats(x), mean, sum_dy, sum_dy_xmu);
        return NI_STATUS_OK;
    });
}

ni_status ni_channel_backward_apply(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                                    const double* invstd, const void* weight, const double* sum_dy,
                                    const double* sum_dy_xmu, double count, void* dx) {
    return guarded([&]() -> ni_status {
        ChannelCall call;
        NI_RETURN_IF_FAILED(call.open(shape));
        if (!(count > 0)) return fail(NI_STATUS_INVALID_ARGUMENT, "count is %g, expected more than 0", count);
        NI_RETURN_IF_FAILED(check_buffers({
            call.input("dy", dy),
            call.input("x", x),
            call.read_doubles("mean", mean),
            call.read_doubles("invstd", invstd),
            call.read_parameters("weight", weight, Need::kOptional),
            call.read_doubles("sum_dy", sum_dy),
            call.read_doubles("sum_dy_xmu", sum_dy_xmu),
            call.output("dx", dx, call.data_need(), "dy", "x"),
        }));
        if (call.empty()) return NI_STATUS_OK;
        channel_backward_apply(*call.kernels, call.tensor, floats(dy), floats(x), mean, invstd, floats(weight), sum_dy,
                               sum_dy_xmu, count, floats(dx));
        return NI_STATUS_OK;
    });
}
