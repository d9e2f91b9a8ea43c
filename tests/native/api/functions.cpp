#include "api/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace ni::test {
namespace {

constexpr bool kInput = false, kOutput = true, kRequired = true, kOptional = false;

Argument data_in(const char* name) { return {name, Kind::kData, kInput, kRequired, {}}; }
Argument doubles_in(const char* name) { return {name, Kind::kDoubles, kInput, kRequired, {}}; }
Argument doubles_out(const char* name, bool required) { return {name, Kind::kDoubles, kOutput, required, {}}; }
Argument parameters_in(const char* name, bool required) { return {name, Kind::kParameters, kInput, required, {}}; }
Argument parameters_out(const char* name) { return {name, Kind::kParameters, kOutput, kOptional, {}}; }
Argument y() { return {"y", Kind::kData, kOutput, kRequired, {"x"}}; }
Argument dx(bool required) { return {"dx", Kind::kData, kOutput, required, {"dy", "x"}}; }

std::vector<Function> channel_functions() {
    return {
        {"ni_channel_statistics",
         {data_in("x"), doubles_out("mean", kRequired), doubles_out("m2", kRequired)},
         false,
         false,
         false,
         [](const Call& c) {
             return ni_channel_statistics(c.descriptor(), c.data("x"), c.doubles("mean"), c.doubles("m2"));
         }},
        {"ni_channel_apply",
         {data_in("x"), doubles_in("mean"), doubles_in("invstd"), parameters_in("weight", kOptional),
          parameters_in("bias", kOptional), y()},
         false,
         false,
         false,
         [](const Call& c) {
             return ni_channel_apply(c.descriptor(), c.data("x"), c.doubles("mean"), c.doubles("invstd"),
                                     c.data("weight"), c.data("bias"), c.data("y"));
         }},
        {"ni_channel_backward_reduce",
         {data_in("dy"), data_in("x"), doubles_in("mean"), doubles_out("sum_dy", kRequired),
          doubles_out("sum_dy_xmu", kRequired)},
         false,
         false,
         false,
         [](const Call& c) {
             return ni_channel_backward_reduce(c.descriptor(), c.data("dy"), c.data("x"), c.doubles("mean"),
                                               c.doubles("sum_dy"), c.doubles("sum_dy_xmu"));
         }},
        {"ni_channel_backward_apply",
         {data_in("dy"), data_in("x"), doubles_in("mean"), doubles_in("invstd"), parameters_in("weight", kOptional),
          doubles_in("sum_dy"), doubles_in("sum_dy_xmu"), dx(kRequired)},
         false,
         true,
         false,
         [](const Call& c) {
             return ni_channel_backward_apply(c.descriptor(), c.data("dy"), c.data("x"), c.doubles("mean"),
                                              c.doubles("invstd"), c.data("weight"), c.doubles("sum_dy"),
                                              c.doubles("sum_dy_xmu"), c.count, c.data("dx"));
         }},
    };
}

std::vector<Function> batchnorm_functions() {
    return {
        {"ni_batchnorm_forward_training",
         {data_in("x"), parameters_in("weight", kOptional), parameters_in("bias", kOptional),
          parameters_out("running_mean"), parameters_out("running_var"), doubles_out("saved_mean", kOptional),
          doubles_out("saved_invstd", kOptional), y()},
         true,
         false,
         false,
         [](const Call& c) {
             return ni_batchnorm_forward_training(c.descriptor(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                                  c.momentum, c.data("running_mean"), c.data("running_var"),
                                                  c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"));
         }},
        {"ni_batchnorm_forward_inference",
         {data_in("x"), parameters_in("weight", kOptional), parameters_in("bias", kOptional),
          parameters_in("mean", kRequired), parameters_in("var", kRequired), y()},
         true,
         false,
         false,
         [](const Call& c) {
             return ni_batchnorm_forward_inference(c.descriptor(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                                   c.data("mean"), c.data("var"), c.data("y"));
         }},
        {"ni_batchnorm_backward_training",
         {data_in("dy"), data_in("x"), parameters_in("weight", kOptional), doubles_in("saved_mean"),
          doubles_in("saved_invstd"), dx(kOptional), parameters_out("dweight"), parameters_out("dbias")},
         false,
         false,
         true,
         [](const Call& c) {
             return ni_batchnorm_backward_training(c.descriptor(), c.data("dy"), c.data("x"), c.data("weight"),
                                                   c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                                   c.data("dx"), c.data("dweight"), c.data("dbias"));
         }},
        {"ni_batchnorm_backward_inference",
         {data_in("dy"), data_in("x"), parameters_in("weight", kOptional), parameters_in("mean", kRequired),
          parameters_in("var", kRequired), dx(kOptional), parameters_out("dweight"), parameters_out("dbias")},
         true,
         false,
         true,
         [](const Call& c) {
             return ni_batchnorm_backward_inference(c.descriptor(), c.data("dy"), c.data("x"), c.data("weight"), c.eps,
                                                    c.data("mean"), c.data("var"), c.gradient_mode, c.data("dx"),
                                                    c.data("dweight"), c.data("dbias"));
         }},
    };
}

/// Values that mean something both as doubles and as floats: 1.5 + i / 8 each.
std::vector<double> sensible(Kind kind, size_t bytes) {
    std::vector<double> storage(bytes / sizeof(double) + 2);
    if (kind == Kind::kDoubles) {
        for (size_t i = 0; i < storage.size(); ++i) storage[i] = 1.5 + static_cast<double>(i) / 8;
        return storage;
    }
    for (size_t i = 0; i < 2 * storage.size(); ++i) {
        const float value = 1.5F + static_cast<float>(i % 64) / 8;
        memcpy(reinterpret_cast<char*>(storage.data()) + i * sizeof(float), &value, sizeof value);
    }
    return storage;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Function& function) { return out << function.name; }

const std::vector<Function>& functions() {
    static const std::vector<Function> all = [] {
        std::vector<Function> list = channel_functions();
        for (Function& function : batchnorm_functions()) list.push_back(std::move(function));
        return list;
    }();
    return all;
}

PreparedCall::PreparedCall(const Function& function, int64_t batch, int64_t channels, int64_t spatial, ni_layout layout)
    : call{}, function_(function) {
    call.eps = 1e-5;
    call.shape = {sizeof(ni_channel_shape), NI_DATA_TYPE_FLOAT32, layout, 0, batch, channels, spatial};
    size_t largest = 0;
    for (const Argument& argument : function.arguments) largest = std::max(largest, bytes_of(argument));
    for (const Argument& argument : function.arguments) {
        auto& storage = storage_[argument.name] = sensible(argument.kind, 2 * largest);
        call.at[argument.name] = storage.data();
    }
    original_ = storage_;
}

size_t PreparedCall::bytes_of(const Argument& argument) const {
    const auto channels = static_cast<size_t>(call.shape.channels);
    switch (argument.kind) {
        case Kind::kData:
            return channels * static_cast<size_t>(call.shape.batch * call.shape.spatial) * sizeof(float);
        case Kind::kParameters:
            return channels * sizeof(float);
        case Kind::kDoubles:
            return channels * sizeof(double);
    }
    return 0;
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
