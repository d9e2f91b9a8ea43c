// Tensors without samples: nothing to read, and sums of nothing.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "api/functions.h"

namespace ni::test {
namespace {

class EmptyBatch : public EveryFunction {};

INSTANTIATE_TEST_SUITE_P(Every, EmptyBatch, testing::ValuesIn(functions()), function_name);

TEST_P(EmptyBatch, NeedsNoDataAndSumsToZero) {
    for_each_type([&] {
        for (const bool null_data : {true, false}) {
            for (const int32_t mode : {NI_GRADIENT_MODE_OVERWRITE, NI_GRADIENT_MODE_ACCUMULATE}) {
                PreparedCall prepared(function(), data_type(), 0), untouched(function(), data_type(), 0);
                prepared.call.gradient_mode = mode;
                for (const Argument& argument : function().arguments) {
                    if (argument.kind == Kind::kData && null_data) prepared.call.at[argument.name] = nullptr;
                }
                ASSERT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
                for (const Argument& argument : function().arguments) {
                    if (argument.kind == Kind::kData || !argument.output) continue;
                    SCOPED_TRACE(argument.name);
                    const bool running = argument.name.starts_with("running_") || argument.name.ends_with("_sum");
                    const bool kept =
                        running || (argument.kind == Kind::kParameters && mode == NI_GRADIENT_MODE_ACCUMULATE);
                    const std::vector<char> zeros(prepared.bytes_of(argument));
                    const void* expected = kept ? untouched.call.at[argument.name] : zeros.data();
                    EXPECT_EQ(memcmp(prepared.call.at[argument.name], expected, zeros.size()), 0);
                }
            }
        }
    });
}

TEST_P(EmptyBatch, IsValidatedLikeAnyOther) {
    for_each_type([&] {
        for (const Argument& argument : function().arguments) {
            PreparedCall prepared(function(), data_type(), 0);
            if (!argument.required || prepared.bytes_of(argument) == 0) continue;
            prepared.call.at[argument.name] = nullptr;
            expect_refused(prepared, NI_STATUS_NULL_POINTER, argument.name + " is null");
        }
    });
}

}  // namespace
}  // namespace ni::test
