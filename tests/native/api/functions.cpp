#include "api/functions.h"

#include <algorithm>
#include <cstring>

namespace ni::test {
namespace {

/// A value between 1.5 and 9.4, or nearly, for every element of a buffer.
std::vector<uint64_t> sensible(Kind kind, int32_t data_type, size_t bytes) {
    std::vector<uint64_t> storage(bytes / sizeof(uint64_t) + 2);
    const bool doubles = kind == Kind::kStatistics || data_type == NI_DATA_TYPE_FLOAT64;
    const bool floats = kind == Kind::kParameters || data_type == NI_DATA_TYPE_FLOAT32;
    const size_t size = doubles ? sizeof(double) : floats ? sizeof(float) : sizeof(uint16_t);
    for (size_t i = 0; i < storage.size() * sizeof(uint64_t) / size; ++i) {
        const auto step = static_cast<int>(i % 64);
        const double wide = 1.5 + step / 8.0;
        const auto narrow = static_cast<float>(wide);
        const auto half = static_cast<uint16_t>((data_type == NI_DATA_TYPE_FLOAT16 ? 0x3E00 : 0x3FC0) + step);
        const void* value = doubles  ? static_cast<const void*>(&wide)
                            : floats ? static_cast<const void*>(&narrow)
                                     : &half;
        memcpy(reinterpret_cast<char*>(storage.data()) + i * size, value, size);
    }
    return storage;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Function& function) { return out << function.name; }

const Function& function_of(const std::string& name) {
    for (const Function& function : functions()) {
        if (function.name == name) return function;
    }
    throw std::out_of_range(name);
}

size_t element_bytes(int32_t data_type) {
    return data_type == NI_DATA_TYPE_FLOAT64 ? 8 : data_type == NI_DATA_TYPE_FLOAT32 ? 4 : 2;
}
size_t parameter_bytes(int32_t data_type) { return data_type == NI_DATA_TYPE_FLOAT64 ? 8 : 4; }

uint32_t Function::struct_size() const {
    switch (descriptor) {
        case Descriptor::kGroup:
            return sizeof(ni_group_shape);
        case Descriptor::kRow:
            return sizeof(ni_row_shape);
        default:
            return sizeof(ni_channel_shape);
    }
}

const ni_channel_shape* Call::channels() const {
    channel_shape_ = {shape.struct_size, shape.data_type, shape.layout, shape.max_threads,
                      shape.batch,       shape.channels,  shape.spatial};
    return null_shape ? nullptr : &channel_shape_;
}
const ni_group_shape* Call::groups() const {
    group_shape_ = {shape.struct_size, shape.data_type, shape.layout,  shape.max_threads,
                    shape.batch,       shape.channels,  shape.spatial, shape.groups};
    return null_shape ? nullptr : &group_shape_;
}
const ni_row_shape* Call::rows() const {
    row_shape_ = {shape.struct_size, shape.data_type, shape.max_threads, shape.reserved, shape.batch, shape.channels};
    return null_shape ? nullptr : &row_shape_;
}

PreparedCall::PreparedCall(const Function& function, int32_t data_type, int64_t batch, int64_t channels,
                           int64_t spatial, ni_layout layout)
    : call{}, function_(function) {
    const int64_t length = function.takes_rows() ? channels * spatial : channels;
    call.shape = {
        function.struct_size(), data_type, layout, 0, 0, batch, length, function.takes_rows() ? 1 : spatial, 2};
    size_t largest = 0;
    for (const Argument& argument : function.arguments) largest = std::max(largest, bytes_of(argument));
    for (const Argument& argument : function.arguments) {
        auto& storage = storage_[argument.name] = sensible(argument.kind, data_type, 2 * largest);
        call.at[argument.name] = storage.data();
    }
    original_ = storage_;
}

size_t PreparedCall::alignment_of(const Argument& argument) const {
    switch (argument.kind) {
        case Kind::kData:
            return element_bytes(call.shape.data_type);
        case Kind::kParameters:
            return parameter_bytes(call.shape.data_type);
        case Kind::kStatistics:
            return sizeof(double);
        case Kind::kMask:
            return 1;
    }
    return 0;
}

size_t PreparedCall::bytes_of(const Argument& argument) const {
    const Shape& shape = call.shape;
    int64_t count = shape.channels;
    if (argument.kind == Kind::kData) count = shape.batch * shape.channels * shape.spatial;
    if (argument.kind == Kind::kMask) count = (shape.batch * shape.channels * shape.spatial + 7) / 8;
    if (argument.kind == Kind::kStatistics) {
        if (function_.descriptor == Descriptor::kInstance) count = shape.batch * shape.channels;
        if (function_.descriptor == Descriptor::kGroup) count = shape.batch * shape.groups;
        if (function_.descriptor == Descriptor::kRow) count = shape.batch;
    }
    return static_cast<size_t>(count) * alignment_of(argument);
}

void PreparedCall::alias(const std::string& argument, const std::string& other, size_t offset) {
    call.at[argument] = static_cast<char*>(call.at.at(other)) + offset;
}

void expect_refused(const PreparedCall& prepared, ni_status status, const std::string& fragment) {
    EXPECT_EQ(prepared.run(), status);
    const std::string message = ni_last_error_message();
    EXPECT_NE(message.find(fragment), std::string::npos) << "\"" << message << "\" lacks \"" << fragment << "\"";
    EXPECT_TRUE(prepared.nothing_written()) << "a refused call wrote; message: " << message;
}

}  // namespace ni::test
