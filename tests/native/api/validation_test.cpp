// Every mistake in the arguments of every function: refused, explained, and without a trace.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "api/functions.h"

namespace ni::test {
namespace {

class Validation : public testing::TestWithParam<Function> {
protected:
    const Function& function() const { return GetParam(); }

    /// Tries each value for one number; `set` puts it into the call.
    template <class T>
    void refuse(const std::vector<T>& values, const std::function<void(Call&, T)>& set, const std::string& fragment) {
        for (const T value : values) {
            SCOPED_TRACE(testing::Message() << "value " << value);
            PreparedCall prepared(function());
            set(prepared.call, value);
            expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT, fragment);
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Every, Validation, testing::ValuesIn(functions()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(Validation, OrdinaryArgumentsAreAccepted) {
    for (const ni_layout layout : {NI_LAYOUT_NCS, NI_LAYOUT_NSC}) {
        const PreparedCall prepared(function(), 2, 6, 10, layout);
        EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
        EXPECT_FALSE(prepared.nothing_written());
    }
}

TEST_P(Validation, NullIsRefusedWhereNeeded) {
    PreparedCall no_shape(function());
    no_shape.call.null_shape = true;
    expect_refused(no_shape, NI_STATUS_NULL_POINTER, "shape is null");
    for (const Argument& argument : function().arguments) {
        if (!argument.required) continue;
        SCOPED_TRACE(argument.name);
        PreparedCall prepared(function());
        prepared.call.at[argument.name] = nullptr;
        expect_refused(prepared, NI_STATUS_NULL_POINTER, argument.name + " is null");
    }
}

TEST_P(Validation, NullIsAcceptedWhereOptional) {
    for (const Argument& argument : function().arguments) {
        if (argument.required) continue;
        SCOPED_TRACE(argument.name);
        PreparedCall prepared(function());
        prepared.call.at[argument.name] = nullptr;
        if (argument.name == "running_mean" || argument.name == "running_var") {
            expect_refused(prepared, NI_STATUS_NULL_POINTER, argument.name + " is null");
            prepared.call.at["running_mean"] = prepared.call.at["running_var"] = nullptr;
        }
        EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
    }
    PreparedCall bare(function());
    for (const Argument& argument : function().arguments) {
        if (!argument.required) bare.call.at[argument.name] = nullptr;
    }
    EXPECT_EQ(bare.run(), NI_STATUS_OK) << ni_last_error_message();
}

TEST_P(Validation, DescriptorsOfAnotherKindAreRefused) {
    const uint32_t size = sizeof(ni_channel_shape);
    refuse<uint32_t>(
        {0, 1, size - 1, size + 1, size + 8, UINT32_MAX}, [](Call& c, uint32_t value) { c.shape.struct_size = value; },
        "shape.struct_size is ");
    refuse<int32_t>(
        {-1, 2, INT32_MAX, INT32_MIN}, [](Call& c, int32_t value) { c.shape.layout = value; }, "shape.layout is ");
    refuse<int32_t>(
        {-1, 1025, INT32_MAX, INT32_MIN}, [](Call& c, int32_t value) { c.shape.max_threads = value; },
        "shape.max_threads is ");
    for (const int32_t type : {-1, 1, INT32_MAX, INT32_MIN}) {
        PreparedCall prepared(function());
        prepared.call.shape.data_type = type;
        expect_refused(prepared, NI_STATUS_UNSUPPORTED_DATA_TYPE, "shape.data_type is " + std::to_string(type));
    }
}

TEST_P(Validation, SizesBelowTheirLeastAreRefused) {
    refuse<int64_t>(
        {-1, INT64_MIN}, [](Call& c, int64_t value) { c.shape.batch = value; }, "shape is (batch -");
    refuse<int64_t>(
        {0, -1, INT64_MIN}, [](Call& c, int64_t value) { c.shape.channels = value; }, "shape is (batch 2");
    refuse<int64_t>(
        {0, -1, INT64_MIN}, [](Call& c, int64_t value) { c.shape.spatial = value; }, "shape is (batch 2");
}

TEST_P(Validation, SizesWhoseProductOverflowsAreRefused) {
    const int64_t sizes[][3] = {{INT64_MAX, INT64_MAX, INT64_MAX},
                                {INT64_C(1) << 31, INT64_C(1) << 31, 2},
                                {INT64_C(1) << 32, INT64_C(1) << 32, 1},  // 2^64 is 0 in 64 bits
                                {INT64_C(1) << 61, 1, 1},
                                {1, INT64_C(1) << 61, 1},
                                {1, 1, INT64_MAX},
                                {3, 1, INT64_MAX / 2},
                                {0, INT64_MAX, 2},
                                {0, INT64_C(1) << 32, INT64_C(1) << 32}};
    for (const auto& size : sizes) {
        SCOPED_TRACE(testing::Message() << size[0] << ", " << size[1] << ", " << size[2]);
        PreparedCall prepared(function());
        prepared.call.shape.batch = size[0];
        prepared.call.shape.channels = size[1];
        prepared.call.shape.spatial = size[2];
        expect_refused(prepared, NI_STATUS_SIZE_OVERFLOW, "batch " + std::to_string(size[0]));
    }
}

TEST_P(Validation, BuffersBeyondTheEndOfMemoryAreRefused) {
    for (const Argument& argument : function().arguments) {
        PreparedCall prepared(function());
        prepared.call.at[argument.name] = reinterpret_cast<void*>(UINTPTR_MAX - 7);
        expect_refused(prepared, NI_STATUS_SIZE_OVERFLOW, argument.name + " would reach beyond the end of memory");
    }
}

TEST_P(Validation, EpsMustBeANumberThatIsNotNegative) {
    if (!function().takes_eps) return;
    refuse<double>(
        {-1e-300, -1.0, -INFINITY, NAN}, [](Call& c, double value) { c.eps = value; }, "eps is ");
    for (const double eps : {0.0, -0.0, 5e-324, 1e300}) {
        PreparedCall prepared(function());
        prepared.call.eps = eps;
        EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
    }
}

TEST_P(Validation, CountMustBePositive) {
    if (!function().takes_count) return;
    refuse<double>(
        {0.0, -0.0, -1.0, -INFINITY, NAN}, [](Call& c, double value) { c.count = value; }, "count is ");
}

TEST_P(Validation, GradientModeMustBeOneOfTheTwo) {
    if (!function().takes_gradient_mode) return;
    refuse<int32_t>(
        {-1, 2, INT32_MAX, INT32_MIN}, [](Call& c, int32_t value) { c.gradient_mode = value; }, "gradient_mode is ");
}

TEST_P(Validation, MisalignedBuffersAreRefused) {
    for (const Argument& argument : function().arguments) {
        for (const size_t offset : {1, 2, 3}) {
            SCOPED_TRACE(testing::Message() << argument.name << " off by " << offset);
            PreparedCall prepared(function());
            prepared.alias(argument.name, argument.name, offset);
            expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT, argument.name + " is at an address");
        }
    }
}

TEST_P(Validation, DoublesAlignedLikeFloatsAreRefused) {
    for (const Argument& argument : function().arguments) {
        if (argument.kind != Kind::kDoubles) continue;
        SCOPED_TRACE(argument.name);
        PreparedCall prepared(function());
        prepared.alias(argument.name, argument.name, 4);
        expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT, argument.name + " is at an address");
    }
}

TEST(Validation, TrainingNeedsMoreThanOneValuePerChannel) {
    for (const Function& function : functions()) {
        if (std::string(function.name) != "ni_batchnorm_forward_training") continue;
        for (const ni_layout layout : {NI_LAYOUT_NCS, NI_LAYOUT_NSC}) {
            PreparedCall prepared(function, 1, 3, 1, layout);
            expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT,
                           "expected more than 1 value per channel when training");
            EXPECT_NE(std::string(ni_last_error_message()).find("channels 3"), std::string::npos);
        }
    }
}

TEST(Validation, BackwardInferenceNeedsXForTheWeightGradientOnly) {
    for (const Function& function : functions()) {
        if (std::string(function.name) != "ni_batchnorm_backward_inference") continue;
        PreparedCall prepared(function);
        prepared.call.at["x"] = nullptr;
        expect_refused(prepared, NI_STATUS_NULL_POINTER, "x is null");
        prepared.call.at["dweight"] = nullptr;
        EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
    }
}

}  // namespace
}  // namespace ni::test
