// What the library for MPI refuses, in a job of one process. What it does is tested with jobs of several, from C#.
#include <gtest/gtest.h>
#include <norminterop_mpi/norminterop_mpi.h>

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace ni::mpi::test {
namespace {

constexpr double kSeconds = 10;

void expect_refused(ni_mpi_status status, const std::string& message) {
    EXPECT_EQ(status, NI_MPI_STATUS_INVALID_ARGUMENT);
    EXPECT_NE(std::string(ni_mpi_last_error_message()).find(message), std::string::npos) << ni_mpi_last_error_message();
}

/// MPI starts once in a process, and ends once.
class Job : public testing::Environment {
public:
    void SetUp() override {
        int32_t group;
        EXPECT_EQ(ni_mpi_open_world(kSeconds, &group), NI_MPI_STATUS_NOT_RUNNING);
        EXPECT_EQ(ni_mpi_finish(kSeconds), NI_MPI_STATUS_OK) << "what has not begun is at its end";
        ASSERT_EQ(ni_mpi_start(kSeconds), NI_MPI_STATUS_OK) << ni_mpi_last_error_message();
        ASSERT_EQ(ni_mpi_start(kSeconds), NI_MPI_STATUS_OK) << "a second start does nothing";
    }
    void TearDown() override {
        // The end by an exception and the end of the program may come at the same time.
        std::thread other([] { EXPECT_EQ(ni_mpi_finish(kSeconds), NI_MPI_STATUS_OK) << ni_mpi_last_error_message(); });
        EXPECT_EQ(ni_mpi_finish(kSeconds), NI_MPI_STATUS_OK) << ni_mpi_last_error_message();
        other.join();
        EXPECT_EQ(ni_mpi_finish(kSeconds), NI_MPI_STATUS_OK) << "a second end does nothing";
        EXPECT_EQ(ni_mpi_start(kSeconds), NI_MPI_STATUS_NOT_RUNNING);
        int32_t group;
        EXPECT_EQ(ni_mpi_open_world(kSeconds, &group), NI_MPI_STATUS_NOT_RUNNING);
    }
};
const auto* const job = testing::AddGlobalTestEnvironment(new Job);

class MpiGroup : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(ni_mpi_open_world(kSeconds, &group_), NI_MPI_STATUS_OK) << ni_mpi_last_error_message();
    }
    void TearDown() override { EXPECT_EQ(ni_mpi_close(group_), NI_MPI_STATUS_OK); }

    int32_t group_ = 0;
    const uint8_t bytes_[4] = {1, 2, 3, 4};
    uint8_t presence_[1] = {0xA5};
    int32_t finder_ = -7;
};

TEST_F(MpiGroup, OfOneProcessBringsItsOwnBlock) {
    int32_t rank, size;
    ASSERT_EQ(ni_mpi_describe(group_, &rank, &size), NI_MPI_STATUS_OK);
    EXPECT_EQ(rank, 0);
    EXPECT_EQ(size, 1);
    ASSERT_EQ(ni_mpi_gather(group_, bytes_, 4, kSeconds, presence_, &finder_), NI_MPI_STATUS_OK);
    const uint8_t* block;
    int64_t count;
    ASSERT_EQ(ni_mpi_block(group_, 0, &block, &count), NI_MPI_STATUS_OK);
    EXPECT_EQ(std::vector<uint8_t>(block, block + count), std::vector<uint8_t>({1, 2, 3, 4}));
    ASSERT_EQ(ni_mpi_gather(group_, nullptr, 0, kSeconds, presence_, &finder_), NI_MPI_STATUS_OK);
    ASSERT_EQ(ni_mpi_block(group_, 0, &block, &count), NI_MPI_STATUS_OK);
    EXPECT_EQ(count, 0);
    const int64_t bounds[] = {0, 3};
    ASSERT_EQ(ni_mpi_exchange(group_, bytes_, bounds, kSeconds, presence_, &finder_), NI_MPI_STATUS_OK);
    ASSERT_EQ(ni_mpi_block(group_, 0, &block, &count), NI_MPI_STATUS_OK);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(presence_[0], 0xA5) << "written though nothing failed";
    EXPECT_EQ(finder_, -7);
}

TEST_F(MpiGroup, NumberOfNoGroupIsRefused) {
    int32_t rank, size, part;
    const int32_t ranks[] = {0};
    const int64_t bounds[] = {0, 4};
    const uint8_t* block;
    int64_t count;
    for (const int32_t number : {0, -1, group_ + 1, INT32_MIN, INT32_MAX}) {
        const std::string message = "group is " + std::to_string(number) + ", expected one that is open";
        expect_refused(ni_mpi_describe(number, &rank, &size), message);
        expect_refused(ni_mpi_open_part(number, ranks, 1, 1, &part), message);
        expect_refused(ni_mpi_gather(number, bytes_, 4, kSeconds, presence_, &finder_), message);
        expect_refused(ni_mpi_exchange(number, bytes_, bounds, kSeconds, presence_, &finder_), message);
        expect_refused(ni_mpi_block(number, 0, &block, &count), message);
        expect_refused(ni_mpi_close(number), message);
    }
}

TEST_F(MpiGroup, NullIsRefusedByName) {
    int32_t value;
    const int32_t ranks[] = {0};
    const int64_t bounds[] = {0, 4};
    const uint8_t* block;
    int64_t count;
    expect_refused(ni_mpi_open_world(kSeconds, nullptr), "group is null");
    expect_refused(ni_mpi_open_part(group_, nullptr, 1, 1, &value), "ranks is null");
    expect_refused(ni_mpi_open_part(group_, ranks, 1, 1, nullptr), "group is null");
    expect_refused(ni_mpi_channel_limit(nullptr), "limit is null");
    expect_refused(ni_mpi_describe(group_, nullptr, &value), "rank is null");
    expect_refused(ni_mpi_describe(group_, &value, nullptr), "size is null");
    expect_refused(ni_mpi_gather(group_, nullptr, 4, kSeconds, presence_, &finder_), "block is null");
    expect_refused(ni_mpi_gather(group_, bytes_, 4, kSeconds, nullptr, &finder_), "presence is null");
    expect_refused(ni_mpi_gather(group_, bytes_, 4, kSeconds, presence_, nullptr), "finder is null");
    expect_refused(ni_mpi_exchange(group_, nullptr, bounds, kSeconds, presence_, &finder_), "data is null");
    expect_refused(ni_mpi_exchange(group_, bytes_, nullptr, kSeconds, presence_, &finder_), "bounds is null");
    expect_refused(ni_mpi_block(group_, 0, nullptr, &count), "block is null");
    expect_refused(ni_mpi_block(group_, 0, &block, nullptr), "bytes is null");
}

TEST_F(MpiGroup, ValuesOutOfRangeAreNamed) {
    int32_t part, limit;
    const uint8_t* block;
    int64_t count;
    const int32_t first[] = {0}, twice[] = {0, 0}, other[] = {1};
    ASSERT_EQ(ni_mpi_channel_limit(&limit), NI_MPI_STATUS_OK);
    expect_refused(ni_mpi_open_part(group_, twice, 2, 1, &part), "size is 2, expected 1 to 1");
    expect_refused(ni_mpi_open_part(group_, first, 0, 1, &part), "size is 0, expected 1 to 1");
    expect_refused(ni_mpi_open_part(group_, other, 1, 1, &part),
                   "ranks[0] is 1, expected ranks of the parent from 0 to 0");
    expect_refused(ni_mpi_open_part(group_, first, 1, 0, &part), "channel is 0, expected 1 to");
    expect_refused(ni_mpi_open_part(group_, first, 1, limit + 1, &part), "channel is " + std::to_string(limit + 1));
    expect_refused(ni_mpi_gather(group_, bytes_, -1, kSeconds, presence_, &finder_),
                   "bytes is -1, expected 0 to 1073741824");
    expect_refused(ni_mpi_gather(group_, bytes_, (int64_t{1} << 30) + 1, kSeconds, presence_, &finder_),
                   "bytes is 1073741825");
    expect_refused(ni_mpi_block(group_, 1, &block, &count), "rank is 1, expected 0 to 0");
    expect_refused(ni_mpi_block(group_, -1, &block, &count), "rank is -1, expected 0 to 0");
    const int64_t late[] = {1, 4}, falling[] = {0, -4}, huge[] = {0, int64_t{1} << 40};
    expect_refused(ni_mpi_exchange(group_, bytes_, late, kSeconds, presence_, &finder_), "bounds[0] is 1, expected 0");
    expect_refused(ni_mpi_exchange(group_, bytes_, falling, kSeconds, presence_, &finder_),
                   "bounds[1] is -4, expected at least bounds[0]");
    expect_refused(ni_mpi_exchange(group_, bytes_, huge, kSeconds, presence_, &finder_),
                   "data has 1099511627776 bytes");
    for (const double seconds : {0.0, -1.0, 1e10, std::nan(""), std::numeric_limits<double>::infinity()}) {
        expect_refused(ni_mpi_gather(group_, bytes_, 4, seconds, presence_, &finder_), "seconds is ");
        expect_refused(ni_mpi_open_world(seconds, &part), "seconds is ");
        expect_refused(ni_mpi_start(seconds), "seconds is ");
    }
    expect_refused(ni_mpi_finish(-1), "seconds is -1, expected at least 0");
}

TEST_F(MpiGroup, PartIsAGroupOfItsOwn) {
    const int32_t ranks[] = {0};
    int32_t part, limit;
    ASSERT_EQ(ni_mpi_channel_limit(&limit), NI_MPI_STATUS_OK);
    for (const int32_t channel : {1, 5, limit}) {
        ASSERT_EQ(ni_mpi_open_part(group_, ranks, 1, channel, &part), NI_MPI_STATUS_OK);
        EXPECT_NE(part, group_);
        EXPECT_EQ(ni_mpi_gather(part, bytes_, 2, kSeconds, presence_, &finder_), NI_MPI_STATUS_OK);
        EXPECT_EQ(ni_mpi_close(part), NI_MPI_STATUS_OK);
        expect_refused(ni_mpi_close(part), "expected one that is open");
    }
}

TEST(MpiFacts, AreThere) {
    EXPECT_EQ(ni_mpi_abi_version(), 1U);
    EXPECT_NE(std::string(ni_mpi_library_version()), "");
}

}  // namespace
}  // namespace ni::mpi::test
