#include "api/validate.h"

#include <math.h>
#include <string.h>

#include "api/call.h"
#include "parallel/parallel.h"

namespace ni::api {
namespace {

bool may_be(const Buffer& written, const Buffer& other) {
    for (const char* name : written.same_as) {
        if (name != nullptr && strcmp(name, other.name) == 0) {
            return written.data == other.data && written.bytes == other.bytes;
        }
    }
    return false;
}

bool overlap(const Buffer& a, const Buffer& b) {
    if (a.bytes == 0 || b.bytes == 0) return false;
    const auto a_begin = reinterpret_cast<uintptr_t>(a.data), b_begin = reinterpret_cast<uintptr_t>(b.data);
    return a_begin < b_begin + static_cast<uintptr_t>(b.bytes) && b_begin < a_begin + static_cast<uintptr_t>(a.bytes);
}

}  // namespace

ni_status check_shape(const ni_channel_shape* shape, ChannelTensor* tensor) {
    if (shape == nullptr) return fail(NI_STATUS_NULL_POINTER, "shape is null");
    if (shape->struct_size != sizeof(ni_channel_shape)) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.struct_size is %u, expected %u", shape->struct_size,
                    static_cast<uint32_t>(sizeof(ni_channel_shape)));
    }
    if (shape->data_type != NI_DATA_TYPE_FLOAT32) {
        return fail(NI_STATUS_UNSUPPORTED_DATA_TYPE, "shape.data_type is %d, expected 0 (float32)", shape->data_type);
    }
    if (shape->layout != NI_LAYOUT_NCS && shape->layout != NI_LAYOUT_NSC) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.layout is %d, expected 0 (NCS) or 1 (NSC)", shape->layout);
    }
    if (shape->max_threads < 0 || shape->max_threads > parallel::kMaxThreads) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.max_threads is %d, expected 0 to %d", shape->max_threads,
                    parallel::kMaxThreads);
    }
    if (shape->batch < 0 || shape->channels < 1 || shape->spatial < 1) {
        return fail(NI_STATUS_INVALID_ARGUMENT,
                    "shape is (batch %lld, channels %lld, spatial %lld), expected at least (0, 1, 1)",
                    static_cast<long long>(shape->batch), static_cast<long long>(shape->channels),
                    static_cast<long long>(shape->spatial));
    }
    int64_t bytes;
    // A descriptor without samples must not hide a product that overflows either: working memory depends on it.
    if (__builtin_mul_overflow(shape->batch > 0 ? shape->batch : 1, shape->channels, &bytes) ||
        __builtin_mul_overflow(bytes, shape->spatial, &bytes) ||
        __builtin_mul_overflow(bytes, static_cast<int64_t>(sizeof(double)), &bytes)) {
        return fail(NI_STATUS_SIZE_OVERFLOW, "a tensor of batch %lld, channels %lld, spatial %lld is too large",
                    static_cast<long long>(shape->batch), static_cast<long long>(shape->channels),
                    static_cast<long long>(shape->spatial));
    }
    *tensor = {shape->batch, shape->channels, shape->spatial, shape->layout == NI_LAYOUT_NSC, shape->max_threads};
    return NI_STATUS_OK;
}

ni_status check_eps(double eps) {
    if (eps >= 0) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "eps is %g, expected a number that is at least 0", eps);
}

ni_status check_buffers(std::initializer_list<Buffer> buffers) {
    for (const Buffer& buffer : buffers) {
        if (buffer.data == nullptr) {
            if (buffer.need == Need::kRequired) return fail(NI_STATUS_NULL_POINTER, "%s is null", buffer.name);
            continue;
        }
        const auto address = reinterpret_cast<uintptr_t>(buffer.data);
        if (address % static_cast<uintptr_t>(buffer.alignment) != 0) {
            return fail(NI_STATUS_INVALID_ARGUMENT, "%s is at an address that is not a multiple of %d bytes",
                        buffer.name, buffer.alignment);
        }
        if (address + static_cast<uintptr_t>(buffer.bytes) < address) {
            return fail(NI_STATUS_SIZE_OVERFLOW, "%s would reach beyond the end of memory", buffer.name);
        }
    }
    for (const Buffer& written : buffers) {
        if (written.access != Access::kWrite || written.data == nullptr) continue;
        for (const Buffer& other : buffers) {
            if (&other == &written || other.data == nullptr || !overlap(written, other)) continue;
            if (!may_be(written, other)) {
                return fail(NI_STATUS_ALIASED_BUFFERS, "%s overlaps %s", written.name, other.name);
            }
        }
    }
    return NI_STATUS_OK;
}

}  // namespace ni::api
