// The functions over data tensors as data: what each takes, so that one test tries a mistake on all of them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "norminterop/norminterop.h"

namespace ni::test {

enum class Kind { kData, kParameters, kStatistics, kMask };
/// Which descriptor a function takes. Instances are described as channels, and have statistics by sample.
enum class Descriptor { kChannel, kInstance, kGroup, kRow };

/// One pointer argument.
struct Argument {
    std::string name;
    Kind kind;
    bool output;
    bool required;
    std::vector<std::string> may_be;  ///< inputs that an output may be exactly
};

/// All that any descriptor has. Of rows, `batch` is their number and `channels` their length.
struct Shape {
    uint32_t struct_size;
    int32_t data_type, layout, max_threads, reserved;
    int64_t batch, channels, spatial, groups;
};

/// One call's arguments: pointers by name, numbers as members.
class Call {
public:
    Shape shape;
    bool null_shape = false;
    std::map<std::string, void*> at;
    double eps = 1e-5, momentum = 0.1, count = 10;
    int32_t gradient_mode = NI_GRADIENT_MODE_OVERWRITE, activation = NI_ACTIVATION_RELU;

    const ni_channel_shape* channels() const;
    const ni_group_shape* groups() const;
    const ni_row_shape* rows() const;
    void* data(const char* name) const { return at.at(name); }
    double* doubles(const char* name) const { return static_cast<double*>(at.at(name)); }
    uint8_t* mask() const { return static_cast<uint8_t*>(at.at("mask")); }

private:
    mutable ni_channel_shape channel_shape_;
    mutable ni_group_shape group_shape_;
    mutable ni_row_shape row_shape_;
};

struct Function {
    const char* name;
    Descriptor descriptor;
    std::vector<Argument> arguments;
    bool takes_eps, takes_count, takes_gradient_mode;
    ni_status (*call)(const Call& call);

    bool takes_rows() const { return descriptor == Descriptor::kRow; }
    uint32_t struct_size() const;
};
std::ostream& operator<<(std::ostream& out, const Function& function);

/// All of them, and the one of a name.
const std::vector<Function>& functions();
const Function& function_of(const std::string& name);
/// Those with an activation, from the ones without.
std::vector<Function> activation_functions(const std::vector<Function>& plain);

/// Bytes of an element of a data type, and of a parameter that goes with it.
size_t element_bytes(int32_t data_type);
size_t parameter_bytes(int32_t data_type);

/// A call with buffers of its own that would succeed. Behind each buffer there is room for any other one.
class PreparedCall {
public:
    /// Rows get the product of channels and positions for their length.
    explicit PreparedCall(const Function& function, int32_t data_type = NI_DATA_TYPE_FLOAT32, int64_t batch = 2,
                          int64_t channels = 6, int64_t spatial = 10, ni_layout layout = NI_LAYOUT_NCS);
    PreparedCall(const PreparedCall&) = delete;
    PreparedCall& operator=(const PreparedCall&) = delete;

    Call call;
    ni_status run() const { return function_.call(call); }
    /// Bytes that an argument's buffer has by its kind, and of one of its elements.
    size_t bytes_of(const Argument& argument) const;
    size_t alignment_of(const Argument& argument) const;
    /// True while every buffer is as it was made.
    bool nothing_written() const { return storage_ == original_; }
    /// Points an argument elsewhere: `offset` bytes into another one's buffer.
    void alias(const std::string& argument, const std::string& other, size_t offset);

private:
    const Function& function_;
    std::map<std::string, std::vector<uint64_t>> storage_, original_;
};

/// Runs a call that must be refused: with this status, with a message that contains `fragment`, and without a trace.
void expect_refused(const PreparedCall& prepared, ni_status status, const std::string& fragment);

/// A test for every function, on every data type in turn.
class EveryFunction : public testing::TestWithParam<Function> {
protected:
    const Function& function() const { return GetParam(); }
    int32_t data_type() const { return data_type_; }

    template <class Body>
    void for_each_type(Body body) {
        for (data_type_ = NI_DATA_TYPE_FLOAT32; data_type_ <= NI_DATA_TYPE_BFLOAT16; ++data_type_) {
            SCOPED_TRACE(testing::Message() << "data type " << data_type_);
            body();
        }
    }

private:
    int32_t data_type_ = NI_DATA_TYPE_FLOAT32;
};
inline std::string function_name(const testing::TestParamInfo<Function>& tested) { return tested.param.name; }

}  // namespace ni::test
