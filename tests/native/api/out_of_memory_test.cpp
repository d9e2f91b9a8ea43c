// Working memory that cannot be had: a status, and nothing written. The library takes it from the aligned operator new,
// which this program replaces, for itself and for the shared library.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>

#include "api/functions.h"

namespace {

/// Allocations that still succeed; negative: all.
std::atomic<int> left{-1};
std::atomic<int> calls{0};

}  // namespace

void* operator new(size_t bytes, std::align_val_t alignment) {
    ++calls;
    if (left == 0) throw std::bad_alloc();
    if (left > 0) --left;
    const auto align = static_cast<size_t>(alignment);
    if (void* memory = std::aligned_alloc(align, (bytes + align - 1) / align * align)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace ni::test {
namespace {

/// A thread keeps working memory from call to call, and a new one has none.
ni_status run_on_new_thread(const PreparedCall& call) {
    ni_status status = NI_STATUS_OK;
    std::thread([&] { status = call.run(); }).join();
    return status;
}

class OutOfMemory : public EveryFunction {};

INSTANTIATE_TEST_SUITE_P(Every, OutOfMemory, testing::ValuesIn(functions()), function_name);

TEST_P(OutOfMemory, WhicheverAllocationFailsNothingIsWritten) {
    for_each_type([&] {
        // Both layouts, more channels than need no memory, and few so large that threads share one: each has working
        // memory of its own.
        for (const ni_layout layout : {NI_LAYOUT_NCS, NI_LAYOUT_NSC}) {
            for (const auto& [channels, spatial] : {std::pair<int64_t, int64_t>{200, 10}, {2, 60000}}) {
                PreparedCall counted(function(), data_type(), 2, channels, spatial, layout);
                counted.call.shape.max_threads = 2;
                calls = 0;
                ASSERT_EQ(run_on_new_thread(counted), NI_STATUS_OK);
                const int needed = calls;
                for (int failing = 0; failing < needed; ++failing) {
                    SCOPED_TRACE(testing::Message() << "allocation " << failing << " of " << needed);
                    PreparedCall prepared(function(), data_type(), 2, channels, spatial, layout);
                    prepared.call.shape.max_threads = 2;
                    left = failing;
                    const ni_status status = run_on_new_thread(prepared);
                    left = -1;
                    EXPECT_EQ(status, NI_STATUS_OUT_OF_MEMORY);
                    EXPECT_TRUE(prepared.nothing_written());
                }
            }
        }
    });
}

TEST(OutOfMemoryTest, TheLibraryUsesTheReplacedAllocator) {
    const PreparedCall prepared(functions().front(), NI_DATA_TYPE_FLOAT32, 2, 200, 10, NI_LAYOUT_NSC);
    calls = 0;
    ASSERT_EQ(run_on_new_thread(prepared), NI_STATUS_OK);
    EXPECT_GT(calls, 0);
}

TEST(OutOfMemoryTest, TheSecondCallOfAThreadFindsTheMemoryOfTheFirst) {
    const PreparedCall prepared(functions().front(), NI_DATA_TYPE_FLOAT32, 2, 200, 10, NI_LAYOUT_NSC);
    int third = -1;
    std::thread([&] {
        // The first call says how much it takes, the second one gets that much to keep.
        for (int i = 0; i < 3; ++i) {
            calls = 0;
            prepared.run();
            third = calls;
        }
    }).join();
    EXPECT_EQ(third, 0);
}

}  // namespace
}  // namespace ni::test
