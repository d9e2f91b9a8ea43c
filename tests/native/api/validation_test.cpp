// Every mistake in the arguments of every function: refused, explained, and without a trace.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "api/functions.h"

namespace ni::test {
namespace {

class Validation : public EveryFunction {
protected:
    /// Tries each value for one number; `set` puts it into the call.
    template <class T>
    void refuse(const std::vector<T>& values, const std::function<void(Call&, T)>& set, const std::string& fragment) {
        for (const T value : values) {
            SCOPED_TRACE(testing::Message() << "value " << value);
            PreparedCall prepared(function(), data_type());
            set(prepared.call, value);
            expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT, fragment);
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Every, Validation, testing::ValuesIn(functions()), function_name);

TEST_P(Validation, OrdinaryArgumentsAreAccepted) {
    for_each_type([&] {
        for (const ni_layout layout : {NI_LAYOUT_NCS, NI_LAYOUT_NSC}) {
            const PreparedCall prepared(function(), data_type(), 2, 6, 10, layout);
            EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
            EXPECT_FALSE(prepared.nothing_written());
        }
    });
}

TEST_P(Validation, NullIsRefusedWhereNeeded) {
    for_each_type([&] {
        PreparedCall no_shape(function(), data_type());
        no_shape.call.null_shape = true;
        expect_refused(no_shape, NI_STATUS_NULL_POINTER, "shape is null");
        for (const Argument& argument : function().arguments) {
            if (!argument.required) continue;
            SCOPED_TRACE(argument.name);
            PreparedCall prepared(function(), data_type());
            prepared.call.at[argument.name] = nullptr;
            expect_refused(prepared, NI_STATUS_NULL_POINTER, argument.name + " is null");
        }
    });
}

TEST_P(Validation, NullIsAcceptedWhereOptional) {
    for_each_type([&] {
        for (const Argument& argument : function().arguments) {
            if (argument.required) continue;
            SCOPED_TRACE(argument.name);
            PreparedCall prepared(function(), data_type());
            prepared.call.at[argument.name] = nullptr;
            if (argument.name == "running_mean" || argument.name == "running_var") {
                expect_refused(prepared, NI_STATUS_NULL_POINTER, argument.name + " is null");
                prepared.call.at["running_mean"] = prepared.call.at["running_var"] = nullptr;
            }
            if (argument.name == "mask" && prepared.call.at.contains("dresidual")) {
                expect_refused(prepared, NI_STATUS_NULL_POINTER, "mask is null");
                prepared.call.at["dresidual"] = nullptr;
            }
            EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
        }
        PreparedCall bare(function(), data_type());
        for (const Argument& argument : function().arguments) {
            if (!argument.required) bare.call.at[argument.name] = nullptr;
        }
        EXPECT_EQ(bare.run(), NI_STATUS_OK) << ni_last_error_message();
    });
}

TEST_P(Validation, DescriptorsOfAnotherKindAreRefused) {
    for_each_type([&] {
        const uint32_t size = function().struct_size();
        refuse<uint32_t>(
            {0, 1, size - 1, size + 1, size + 8, UINT32_MAX},
            [](Call& c, uint32_t value) { c.shape.struct_size = value; }, "shape.struct_size is ");
        refuse<int32_t>(
            {-1, 1025, INT32_MAX, INT32_MIN}, [](Call& c, int32_t value) { c.shape.max_threads = value; },
            "shape.max_threads is ");
        for (const int32_t type : {-1, 4, INT32_MAX, INT32_MIN}) {
            PreparedCall prepared(function(), data_type());
            prepared.call.shape.data_type = type;
            expect_refused(prepared, NI_STATUS_UNSUPPORTED_DATA_TYPE, "shape.data_type is " + std::to_string(type));
        }
        if (function().takes_rows()) {
            refuse<int32_t>(
                {1, -1, INT32_MIN}, [](Call& c, int32_t value) { c.shape.reserved = value; }, "shape.reserved is ");
        } else {
            refuse<int32_t>(
                {-1, 2, INT32_MAX, INT32_MIN}, [](Call& c, int32_t value) { c.shape.layout = value; },
                "shape.layout is ");
        }
        if (function().descriptor == Descriptor::kGroup) {
            refuse<int64_t>(
                {0, -1, 4, 5, 12, INT64_MAX, INT64_MIN}, [](Call& c, int64_t value) { c.shape.groups = value; },
                "shape.groups is ");
        }
    });
}

TEST_P(Validation, SizesBelowTheirLeastAreRefused) {
    for_each_type([&] {
        const bool rows = function().takes_rows();
        refuse<int64_t>(
            {-1, INT64_MIN}, [](Call& c, int64_t value) { c.shape.batch = value; },
            rows ? "shape is (rows -" : "shape is (batch -");
        refuse<int64_t>(
            {0, -1, INT64_MIN}, [](Call& c, int64_t value) { c.shape.channels = value; },
            rows ? "shape is (rows 2, length " : "shape is (batch 2");
        if (rows) return;
        refuse<int64_t>(
            {0, -1, INT64_MIN}, [](Call& c, int64_t value) { c.shape.spatial = value; }, "shape is (batch 2");
    });
}

TEST_P(Validation, SizesWhoseProductOverflowsAreRefused) {
    for_each_type([&] {
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
            if (function().takes_rows() && size[2] != 1) continue;
            SCOPED_TRACE(testing::Message() << size[0] << ", " << size[1] << ", " << size[2]);
            PreparedCall prepared(function(), data_type());
            prepared.call.shape.batch = size[0];
            prepared.call.shape.channels = size[1];
            prepared.call.shape.spatial = size[2];
            prepared.call.shape.groups = 1;
            expect_refused(prepared, NI_STATUS_SIZE_OVERFLOW,
                           (function().takes_rows() ? "rows " : "batch ") + std::to_string(size[0]));
        }
    });
}

TEST_P(Validation, BuffersBeyondTheEndOfMemoryAreRefused) {
    for_each_type([&] {
        for (const Argument& argument : function().arguments) {
            PreparedCall prepared(function(), data_type());
            prepared.call.at[argument.name] = reinterpret_cast<void*>(UINTPTR_MAX - 7);
            expect_refused(prepared, NI_STATUS_SIZE_OVERFLOW, argument.name + " would reach beyond the end of memory");
        }
    });
}

TEST_P(Validation, EpsMustBeANumberThatIsNotNegative) {
    for_each_type([&] {
        if (!function().takes_eps) return;
        refuse<double>(
            {-1e-300, -1.0, -INFINITY, NAN}, [](Call& c, double value) { c.eps = value; }, "eps is ");
        for (const double eps : {0.0, -0.0, 5e-324, 1e300}) {
            PreparedCall prepared(function(), data_type());
            prepared.call.eps = eps;
            EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
        }
    });
}

TEST_P(Validation, CountMustBePositive) {
    for_each_type([&] {
        if (!function().takes_count) return;
        refuse<double>(
            {0.0, -0.0, -1.0, -INFINITY, NAN}, [](Call& c, double value) { c.count = value; }, "count is ");
    });
}

TEST_P(Validation, GradientModeMustBeOneOfTheTwo) {
    for_each_type([&] {
        if (!function().takes_gradient_mode) return;
        refuse<int32_t>(
            {-1, 2, INT32_MAX, INT32_MIN}, [](Call& c, int32_t value) { c.gradient_mode = value; },
            "gradient_mode is ");
    });
}

TEST_P(Validation, MisalignedBuffersAreRefused) {
    for_each_type([&] {
        for (const Argument& argument : function().arguments) {
            PreparedCall prepared(function(), data_type());
            auto* const first = static_cast<char*>(prepared.call.at[argument.name]);
            for (size_t offset = 1; offset < prepared.alignment_of(argument); ++offset) {
                SCOPED_TRACE(testing::Message() << argument.name << " off by " << offset);
                prepared.call.at[argument.name] = first + offset;
                expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT, argument.name + " is at an address");
            }
        }
    });
}

TEST_P(Validation, ElementsNeedNoMoreThanTheirOwnAlignment) {
    for_each_type([&] {
        for (const Argument& argument : function().arguments) {
            PreparedCall prepared(function(), data_type());
            prepared.alias(argument.name, argument.name, prepared.alignment_of(argument));
            EXPECT_EQ(prepared.run(), NI_STATUS_OK) << argument.name << ": " << ni_last_error_message();
        }
    });
}

TEST(ValidationOf, StatisticsNeedMoreThanOneValue) {
    for (const int32_t type : {0, 1, 2, 3}) {
        for (const ni_layout layout : {NI_LAYOUT_NCS, NI_LAYOUT_NSC}) {
            PreparedCall batch(function_of("ni_batchnorm_forward_training"), type, 1, 3, 1, layout);
            expect_refused(batch, NI_STATUS_INVALID_ARGUMENT, "expected more than 1 value per channel when training");
            EXPECT_NE(std::string(ni_last_error_message()).find("channels 3"), std::string::npos);
            PreparedCall instance(function_of("ni_instancenorm_forward"), type, 4, 3, 1, layout);
            expect_refused(instance, NI_STATUS_INVALID_ARGUMENT,
                           "expected more than 1 spatial element when training, got batch 4, channels 3, spatial 1");
        }
    }
}

TEST(ValidationOf, BackwardInferenceNeedsXForTheWeightGradientOnly) {
    PreparedCall prepared(function_of("ni_batchnorm_backward_inference"));
    prepared.call.at["x"] = nullptr;
    expect_refused(prepared, NI_STATUS_NULL_POINTER, "x is null");
    prepared.call.at["dweight"] = nullptr;
    EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
}

}  // namespace
}  // namespace ni::test
