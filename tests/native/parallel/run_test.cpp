// Threads: every piece once whoever runs it, and limits that hold.
#include <gtest/gtest.h>

#include <algorithm>

#include <atomic>
#include <thread>
#include <vector>

#include "parallel/cache.h"
#include "parallel/parallel.h"

namespace ni::parallel {
namespace {

/// Restores the default at the end of a test.
class Threads : public testing::Test {
protected:
    void TearDown() override { set_limit(0); }
};

/// How often each piece ran.
std::vector<int> visits(int64_t pieces, int32_t threads) {
    std::vector<std::atomic<int>> counts(static_cast<size_t>(pieces));
    auto body = [&](int64_t piece) { ++counts.at(piece); };
    for_each(pieces, threads, body);
    return std::vector<int>(counts.begin(), counts.end());
}

TEST_F(Threads, EveryPieceRunsExactlyOnce) {
    for (const int32_t threads : {1, 2, 3, 8}) {
        for (const int64_t pieces : {0, 1, 2, 7, 1000}) {
            EXPECT_EQ(visits(pieces, threads), std::vector<int>(static_cast<size_t>(pieces), 1))
                << pieces << " pieces on " << threads << " threads";
        }
    }
}

TEST_F(Threads, EveryPieceRunsExactlyOnceForManyCallersAtOnce) {
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 8; ++i) {
        callers.emplace_back([&] {
            for (int round = 0; round < 50; ++round) wrong += visits(20, 4) != std::vector<int>(20, 1);
        });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(wrong, 0);
}

TEST_F(Threads, APieceMayRunAWholeRunItself) {
    std::atomic<int> sum{0};
    auto inner = [&](int64_t) { ++sum; };
    auto outer = [&](int64_t) { for_each(10, 4, inner); };
    for_each(10, 4, outer);
    EXPECT_EQ(sum, 100);
}

TEST_F(Threads, NoMoreThreadsThanAskedFor) {
    std::atomic<int> now{0}, most{0};
    auto body = [&](int64_t) {
        const int running = ++now;
        for (int seen = most; seen < running && !most.compare_exchange_weak(seen, running);) {
        }
        std::this_thread::yield();
        --now;
    };
    for_each(2000, 3, body);
    EXPECT_LE(most, 3);
}

TEST_F(Threads, SmallWorkStaysWithTheCallerAndLargeWorkObeysTheLimit) {
    EXPECT_EQ(threads_for(0, 0), 1);
    EXPECT_EQ(threads_for(1, 8), 1);
    EXPECT_EQ(threads_for(INT64_C(1) << 40, 3), 3);
    set_limit(5);
    EXPECT_EQ(threads_for(INT64_C(1) << 40, 0), 5);
    EXPECT_EQ(threads_for(INT64_C(1) << 40, 7), 7);
    // Of a limit far above the number of processors, no use is made.
    EXPECT_EQ(threads_for(INT64_C(1) << 60, kMaxThreads),
              4 * std::max(2, static_cast<int>(std::thread::hardware_concurrency())));
}

TEST_F(Threads, TheLimitCanBeSetAndRestored) {
    const int32_t initial = limit();
    EXPECT_GE(initial, 1);
    set_limit(3);
    EXPECT_EQ(limit(), 3);
    set_limit(0);
    EXPECT_EQ(limit(), initial);
}

TEST(Cache, HasAPlausibleSize) {
    EXPECT_GE(last_level_cache_bytes(), 64 << 10);
    EXPECT_LE(last_level_cache_bytes(), INT64_C(64) << 30);
    EXPECT_EQ(last_level_cache_bytes(), last_level_cache_bytes());
}

}  // namespace
}  // namespace ni::parallel
