// Helpers: nothing of a job runs once its offer is gone, whether they began or not.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "parallel/workers.h"

namespace ni::parallel {
namespace {

/// A job that counts who begins and who ends, and takes its time in between.
struct Counted {
    explicit Counted(int microseconds) : pause(microseconds) {}

    Job job() {
        return {[](void* self, int32_t index) { static_cast<Counted*>(self)->run(index); }, this};
    }
    void run(int32_t index) {
        ++begun;
        indices |= uint64_t{1} << index;
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(pause);
        while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
        ++ended;
    }

    const int pause;
    std::atomic<int> begun{0}, ended{0};
    std::atomic<uint64_t> indices{0};
};

TEST(Workers, AnOfferEndsWithThoseWhoBegan) {
    for (int round = 0; round < 300; ++round) {
        Counted counted(round % 3 == 0 ? 200 : 0);
        const Job job = counted.job();
        {
            const Offer offer(job, 3);
            if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
        const int begun = counted.begun;
        EXPECT_EQ(counted.ended, begun);
        EXPECT_LE(begun, 3);
        std::this_thread::sleep_for(std::chrono::microseconds(round % 5 == 0 ? 300 : 0));
        EXPECT_EQ(counted.begun, begun) << "a helper began after the offer was withdrawn";
    }
}

TEST(Workers, HelpersHaveIndicesOfTheirOwn) {
    // Until all three came: the system decides when they run.
    for (int round = 0; round < 10000; ++round) {
        Counted counted(500);
        const Job job = counted.job();
        {
            const Offer offer(job, 3);
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        if (counted.begun < 3) continue;
        EXPECT_EQ(counted.indices, 0b1110U);
        return;
    }
    FAIL() << "three helpers never ran at the same time";
}

TEST(Workers, ManyCallersShareThem) {
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 8; ++i) {
        callers.emplace_back([&] {
            for (int round = 0; round < 500; ++round) {
                Counted counted(round % 7);
                const Job job = counted.job();
                { const Offer offer(job, 1 + round % 4); }
                wrong += counted.begun != counted.ended;
            }
        });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(wrong, 0);
}

TEST(Workers, AnOfferThatWasMetDoesNotWithdrawTheNext) {
    for (int round = 0; round < 20; ++round) {
        Counted first(0);
        const Job first_job = first.job();
        auto met = std::make_unique<Offer>(first_job, 1);
        while (first.ended == 0) std::this_thread::yield();
        // Asleep, the helper takes up the second offer only after the end of the first.
        std::this_thread::sleep_for(std::chrono::milliseconds(2));

        // Should nobody come, they are left behind: the offer would wait for its helper forever.
        auto second = std::make_unique<Counted>(0);
        auto job = std::make_unique<Job>(second->job());
        auto next = std::make_unique<Offer>(*job, 1);
        met.reset();
        const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (second->ended == 0 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
        if (second->ended == 0) {
            static_cast<void>(second.release());
            static_cast<void>(job.release());
            static_cast<void>(next.release());
            FAIL() << "the second offer was withdrawn with the first";
        }
    }
}

TEST(Workers, AnOfferToNobodyIsNothing) {
    Counted counted(0);
    const Job job = counted.job();
    { const Offer offer(job, 0); }
    EXPECT_EQ(counted.begun, 0);
}

}  // namespace
}  // namespace ni::parallel
