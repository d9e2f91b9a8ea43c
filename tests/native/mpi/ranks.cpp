// A job of several ranks: blocks and parts of all lengths come to the right place, in groups and in parts of groups.
// Each rank ends with 0, or says what went wrong and ends with 1.
#include <norminterop_mpi/norminterop_mpi.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr double kSeconds = 60;

int32_t this_rank = -1;

void require(bool condition, const char* what) {
    if (condition) return;
    fprintf(stderr, "rank %d: %s: %s\n", this_rank, what, ni_mpi_last_error_message());
    exit(1);
}

/// Byte i of what `from` sends to `to` in a round; nobody's bytes are another's.
uint8_t byte_of(int32_t from, int32_t to, int round, int64_t i) {
    return static_cast<uint8_t>(from * 101 + to * 59 + round * 31 + i * 7 + i / 251);
}

struct Group {
    explicit Group(int32_t opened) : number(opened) {
        require(ni_mpi_describe(number, &rank, &size) == NI_MPI_STATUS_OK, "describe");
        presence.resize(static_cast<size_t>(size));
    }

    /// A block of its own length from each rank, to all.
    void gather(int round, int64_t (*length)(int32_t)) {
        std::vector<uint8_t> block(static_cast<size_t>(length(rank)));
        for (size_t i = 0; i < block.size(); ++i) block[i] = byte_of(rank, 0, round, static_cast<int64_t>(i));
        int32_t finder;
        require(
            ni_mpi_gather(number, block.data(), length(rank), kSeconds, presence.data(), &finder) == NI_MPI_STATUS_OK,
            "gather");
        for (int32_t r = 0; r < size; ++r) check(r, 0, round, length(r));
    }

    /// A part of its own length to each rank, from all.
    void exchange(int round, int64_t (*length)(int32_t)) {
        std::vector<int64_t> bounds{0};
        std::vector<uint8_t> data;
        for (int32_t to = 0; to < size; ++to) {
            for (int64_t i = 0; i < length(to); ++i) data.push_back(byte_of(rank, to, round, i));
            bounds.push_back(static_cast<int64_t>(data.size()));
        }
        int32_t finder;
        require(
            ni_mpi_exchange(number, data.data(), bounds.data(), kSeconds, presence.data(), &finder) == NI_MPI_STATUS_OK,
            "exchange");
        for (int32_t r = 0; r < size; ++r) check(r, rank, round, length(rank));
    }

    void check(int32_t from, int32_t to, int round, int64_t length) {
        const uint8_t* block;
        int64_t bytes;
        require(ni_mpi_block(number, from, &block, &bytes) == NI_MPI_STATUS_OK, "block");
        require(bytes == length, "length of a block");
        for (int64_t i = 0; i < bytes; ++i) require(block[i] == byte_of(from, to, round, i), "contents of a block");
    }

    int32_t number, rank = -1, size = 0;
    std::vector<uint8_t> presence;
};

void run_all(Group& group) {
    int64_t (*const lengths[])(int32_t) = {
        [](int32_t) -> int64_t { return 0; },
        [](int32_t r) -> int64_t { return r; },
        [](int32_t r) -> int64_t { return 7 + r; },
        [](int32_t r) -> int64_t { return r % 2 * 5000; },
        [](int32_t r) -> int64_t { return 70000 - 3 * r; },
    };
    int round = 0;
    for (const auto length : lengths) {
        group.gather(++round, length);
        group.exchange(++round, length);
    }
}

}  // namespace

int main() {
    require(ni_mpi_start(kSeconds) == NI_MPI_STATUS_OK, "start");
    int32_t number;
    require(ni_mpi_open_world(kSeconds, &number) == NI_MPI_STATUS_OK, "open the world");
    Group world(number);
    this_rank = world.rank;
    run_all(world);

    // All but the last rank, in reverse order, between operations of the whole.
    if (world.rank < world.size - 1) {
        std::vector<int32_t> ranks;
        for (int32_t r = world.size - 2; r >= 0; --r) ranks.push_back(r);
        // The last channel of parts, which is next to the first of the whole.
        int32_t part, channel;
        require(ni_mpi_channel_limit(&channel) == NI_MPI_STATUS_OK, "channel limit");
        require(ni_mpi_open_part(number, ranks.data(), world.size - 1, channel, &part) == NI_MPI_STATUS_OK,
                "open a part");
        Group group(part);
        require(group.rank == world.size - 2 - world.rank, "rank in a part");
        run_all(group);
        require(ni_mpi_close(part) == NI_MPI_STATUS_OK, "close a part");
    }
    run_all(world);
    require(ni_mpi_finish(kSeconds) == NI_MPI_STATUS_OK, "finish");
    return 0;
}
