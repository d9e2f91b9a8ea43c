#include "api/validate.h"

#include <assert.h>
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

/// The bytes of a buffer.
struct Place {
    uintptr_t begin, end;
    const Buffer* buffer;
};
/// More than any function takes.
constexpr size_t kMostBuffers = 16;

/// What all descriptors begin with.
template <class Shape>
ni_status check_head(const Shape* shape) {
    if (shape == nullptr) return fail(NI_STATUS_NULL_POINTER, "shape is null");
    if (shape->struct_size != sizeof(Shape)) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.struct_size is %u, expected %u", shape->struct_size,
                    static_cast<uint32_t>(sizeof(Shape)));
    }
    if (shape->data_type < NI_DATA_TYPE_FLOAT32 || shape->data_type > NI_DATA_TYPE_BFLOAT16) {
        return fail(NI_STATUS_UNSUPPORTED_DATA_TYPE,
                    "shape.data_type is %d, expected 0 (float32), 1 (float64), 2 (float16) or 3 (bfloat16)",
                    shape->data_type);
    }
    if (shape->max_threads < 0 || shape->max_threads > parallel::kMaxThreads) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.max_threads is %d, expected 0 to %d", shape->max_threads,
                    parallel::kMaxThreads);
    }
    return NI_STATUS_OK;
}

ni_status check_layout(int32_t layout) {
    if (layout == NI_LAYOUT_NCS || layout == NI_LAYOUT_NSC) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "shape.layout is %d, expected 0 (NCS) or 1 (NSC)", layout);
}

/// Whether a tensor of doubles of this size would have more than 2^63 bytes. One without samples must not hide a
/// product that overflows either: working memory depends on it.
bool overflows(int64_t batch, int64_t channels, int64_t spatial) {
    int64_t bytes;
    return __builtin_mul_overflow(batch > 0 ? batch : 1, channels, &bytes) ||
           __builtin_mul_overflow(bytes, spatial, &bytes) ||
           __builtin_mul_overflow(bytes, static_cast<int64_t>(sizeof(double)), &bytes);
}

ni_status check_lengths(int64_t batch, int64_t channels, int64_t spatial) {
    const auto n = static_cast<long long>(batch), c = static_cast<long long>(channels);
    const auto s = static_cast<long long>(spatial);
    if (batch < 0 || channels < 1 || spatial < 1) {
        return fail(NI_STATUS_INVALID_ARGUMENT,
                    "shape is (batch %lld, channels %lld, spatial %lld), expected at least (0, 1, 1)", n, c, s);
    }
    if (overflows(batch, channels, spatial)) {
        return fail(NI_STATUS_SIZE_OVERFLOW, "a tensor of batch %lld, channels %lld, spatial %lld is too large", n, c,
                    s);
    }
    return NI_STATUS_OK;
}

}  // namespace

ni_status check_shape(const ni_channel_shape* shape, ChannelTensor* tensor) {
    NI_RETURN_IF_FAILED(check_head(shape));
    NI_RETURN_IF_FAILED(check_layout(shape->layout));
    NI_RETURN_IF_FAILED(check_lengths(shape->batch, shape->channels, shape->spatial));
    *tensor = {shape->batch, shape->channels, shape->spatial, shape->layout == NI_LAYOUT_NSC, shape->max_threads};
    return NI_STATUS_OK;
}

ni_status check_shape(const ni_group_shape* shape, GroupTensor* tensor) {
    NI_RETURN_IF_FAILED(check_head(shape));
    NI_RETURN_IF_FAILED(check_layout(shape->layout));
    NI_RETURN_IF_FAILED(check_lengths(shape->batch, shape->channels, shape->spatial));
    if (shape->groups < 1 || shape->channels % shape->groups != 0) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.groups is %lld, expected a divisor of the %lld channels",
                    static_cast<long long>(shape->groups), static_cast<long long>(shape->channels));
    }
    *tensor = {{shape->batch, shape->channels, shape->spatial, shape->layout == NI_LAYOUT_NSC, shape->max_threads},
               shape->groups};
    return NI_STATUS_OK;
}

ni_status check_shape(const ni_row_shape* shape, RowTensor* tensor) {
    NI_RETURN_IF_FAILED(check_head(shape));
    if (shape->reserved != 0) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape.reserved is %d, expected 0", shape->reserved);
    }
    if (shape->rows < 0 || shape->length < 1) {
        return fail(NI_STATUS_INVALID_ARGUMENT, "shape is (rows %lld, length %lld), expected at least (0, 1)",
                    static_cast<long long>(shape->rows), static_cast<long long>(shape->length));
    }
    if (overflows(shape->rows, shape->length, 1)) {
        return fail(NI_STATUS_SIZE_OVERFLOW, "a tensor of rows %lld, length %lld is too large",
                    static_cast<long long>(shape->rows), static_cast<long long>(shape->length));
    }
    *tensor = {shape->rows, shape->length, shape->max_threads};
    return NI_STATUS_OK;
}

int32_t element_bytes(int32_t data_type) {
    switch (data_type) {
        case NI_DATA_TYPE_FLOAT64:
            return 8;
        case NI_DATA_TYPE_FLOAT32:
            return 4;
        default:
            return 2;
    }
}

ni_status check_gradient_mode(int32_t mode) {
    if (mode == NI_GRADIENT_MODE_OVERWRITE || mode == NI_GRADIENT_MODE_ACCUMULATE) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "gradient_mode is %d, expected 0 (overwrite) or 1 (accumulate)", mode);
}

ni_status check_running_buffers(const void* running_mean, const void* running_var) {
    if ((running_mean == nullptr) == (running_var == nullptr)) return NI_STATUS_OK;
    return fail(NI_STATUS_NULL_POINTER, "%s is null, expected running_mean and running_var or neither",
                running_mean == nullptr ? "running_mean" : "running_var");
}

ni_status check_eps(double eps) {
    if (eps >= 0) return NI_STATUS_OK;
    return fail(NI_STATUS_INVALID_ARGUMENT, "eps is %g, expected a number that is at least 0", eps);
}

ni_status check_buffers(std::initializer_list<Buffer> buffers) {
    // Those that are there, because no others can overlap, and of them the written ones first, so that a pair is looked
    // at once: this is a good part of a small call.
    Place places[2 * kMostBuffers];
    size_t begin_of_written = kMostBuffers, count = kMostBuffers;
    for (const Buffer& buffer : buffers) {
        if (buffer.data == nullptr) {
            if (buffer.need == Need::kRequired) return fail(NI_STATUS_NULL_POINTER, "%s is null", buffer.name);
            continue;
        }
        const auto begin = reinterpret_cast<uintptr_t>(buffer.data), end = begin + static_cast<uintptr_t>(buffer.bytes);
        if ((begin & static_cast<uintptr_t>(buffer.alignment - 1)) != 0) {
            return fail(NI_STATUS_INVALID_ARGUMENT, "%s is at an address that is not a multiple of %d bytes",
                        buffer.name, buffer.alignment);
        }
        if (end < begin) return fail(NI_STATUS_SIZE_OVERFLOW, "%s would reach beyond the end of memory", buffer.name);
        assert(begin_of_written > 0 && count < 2 * kMostBuffers);
        if (begin != end)
            places[buffer.access == Access::kWrite ? --begin_of_written : count++] = {begin, end, &buffer};
    }
    for (size_t w = begin_of_written; w < kMostBuffers; ++w) {
        const Place& written = places[w];
        for (size_t o = w + 1; o < count; ++o) {
            const Place& other = places[o];
            if (other.begin >= written.end || written.begin >= other.end) continue;
            if (may_be(*written.buffer, *other.buffer) || may_be(*other.buffer, *written.buffer)) continue;
            // Of two that are written, the first argument comes first.
            const bool turned = other.buffer->access == Access::kWrite && other.buffer < written.buffer;
            const Buffer &first = turned ? *other.buffer : *written.buffer,
                         &second = turned ? *written.buffer : *other.buffer;
            return fail(NI_STATUS_ALIASED_BUFFERS, "%s overlaps %s", first.name, second.name);
        }
    }
    return NI_STATUS_OK;
}

}  // namespace ni::api
