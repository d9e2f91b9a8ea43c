// The C functions: what they are given is checked here, and no exception leaves.
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "failure.h"
#include "group.h"
#include "norminterop_mpi/norminterop_mpi.h"
#include "process.h"
#include "worker.h"

using namespace ni::mpi;

namespace {

thread_local std::string last_message = "no error";

/// How long MPI may take to end where other processes have not come to the end: it may still manage without them.
constexpr std::chrono::seconds kLastTry{2};

/// Seconds that a process waits for the others to say that they leave, too.
constexpr double kFarewell = 3;

constexpr int64_t kMostBytes = int64_t{1} << 30;

/// Runs body() and turns what it throws into a status.
template <class Body>
ni_mpi_status guarded(Body body) noexcept {
    try {
        try {
            body();
            return NI_MPI_STATUS_OK;
        } catch (const Failure& failure) {
            last_message = failure.message;
            return failure.status;
        } catch (const Fault& fault) {
            last_message = fault.message;
            return NI_MPI_STATUS_FAULT;
        }
    } catch (const std::bad_alloc&) {
        last_message.clear();
        return NI_MPI_STATUS_OUT_OF_MEMORY;
    } catch (...) {
        last_message.clear();
        return NI_MPI_STATUS_INTERNAL_ERROR;
    }
}

__attribute__((format(printf, 2, 3))) void require(bool condition, const char* format, ...) {
    if (condition) return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    throw Failure{NI_MPI_STATUS_INVALID_ARGUMENT, text};
}

void require_seconds(double seconds, bool zero_too = false) {
    require((seconds > 0 || (zero_too && seconds == 0)) && seconds <= 1e9, "seconds is %g, expected %s and at most 1e9",
            seconds, zero_too ? "at least 0" : "more than 0");
}

/// The groups that are open, by number. Never destroyed: threads may be in a call while the process ends.
class Groups {
public:
    static Groups& all() {
        static Groups& instance = *new Groups;
        return instance;
    }

    int32_t add(std::shared_ptr<Group> group) {
        const std::lock_guard<std::mutex> lock(gate_);
        groups_.emplace(++last_, std::move(group));
        return last_;
    }

    std::shared_ptr<Group> at(int32_t number) {
        const std::lock_guard<std::mutex> lock(gate_);
        const auto found = groups_.find(number);
        require(found != groups_.end(), "group is %d, expected one that is open", number);
        return found->second;
    }

    /// A group that is closed stays in memory: MPI may still touch it, and the other ranks have yet to say that they
    /// leave.
    void remove(int32_t number) {
        const std::lock_guard<std::mutex> lock(gate_);
        const auto found = groups_.find(number);
        if (found == groups_.end()) return;
        closed_.push_back(found->second);
        groups_.erase(found);
    }

    /// Tells the other ranks of all groups that this process ends, and waits until all have told it the same: no longer
    /// than a farewell takes, since MPI itself waits for those that are not so far yet.
    void leave_all(Clock::time_point deadline) {
        std::vector<std::shared_ptr<Group>> all;
        {
            const std::lock_guard<std::mutex> lock(gate_);
            for (const auto& [number, group] : groups_) all.push_back(group);
            all.insert(all.end(), closed_.begin(), closed_.end());
        }
        try {
            for (const auto& group : all) group->leave();
            Backoff backoff;
            for (const auto& group : all) {
                while (!group->everybody_left()) {
                    if (Clock::now() >= deadline) return;
                    backoff.pause();
                }
            }
        } catch (const Failure&) {
            // MPI does not answer: there is nobody to tell.
        }
    }

private:
    std::mutex gate_;
    std::map<int32_t, std::shared_ptr<Group>> groups_;
    std::vector<std::shared_ptr<Group>> closed_;
    int32_t last_ = 0;
};

/// Runs an operation, and hands out who is to blame for its failure.
template <class Body>
void operate(Group& group, uint8_t* presence, int32_t* finder, Body body) {
    require(presence != nullptr, "presence is null");
    require(finder != nullptr, "finder is null");
    try {
        body();
    } catch (const Fault& fault) {
        for (int r = 0; r < group.size(); ++r) presence[r] = fault.presence[static_cast<size_t>(r)];
        *finder = fault.finder;
        throw;
    }
}

void check_bounds(const Group& group, const uint8_t* data, const int64_t* bounds) {
    require(bounds != nullptr, "bounds is null");
    require(bounds[0] == 0, "bounds[0] is %lld, expected 0", static_cast<long long>(bounds[0]));
    for (int r = 0; r < group.size(); ++r) {
        require(bounds[r] <= bounds[r + 1], "bounds[%d] is %lld, expected at least bounds[%d], which is %lld", r + 1,
                static_cast<long long>(bounds[r + 1]), r, static_cast<long long>(bounds[r]));
    }
    const int64_t bytes = bounds[group.size()];
    require(bytes <= kMostBytes, "data has %lld bytes, expected at most %lld", static_cast<long long>(bytes),
            static_cast<long long>(kMostBytes));
    require(data != nullptr || bytes == 0, "data is null");
}

/// The members of a part, as ranks of the communicator, and this process's rank among them.
std::vector<int> members_of_part(const Group& parent, const int32_t* ranks, int32_t size, int* rank) {
    std::vector<int> members;
    std::vector<bool> taken(static_cast<size_t>(parent.size()));
    *rank = -1;
    for (int32_t i = 0; i < size; ++i) {
        require(ranks[i] >= 0 && ranks[i] < parent.size() && !taken[static_cast<size_t>(ranks[i])],
                "ranks[%d] is %d, expected ranks of the parent from 0 to %d, each once", i, ranks[i],
                parent.size() - 1);
        taken[static_cast<size_t>(ranks[i])] = true;
        members.push_back(parent.member(ranks[i]));
        if (ranks[i] == parent.rank()) *rank = i;
    }
    require(*rank >= 0, "ranks lacks %d, this process's rank of the parent", parent.rank());
    return members;
}

}  // namespace

uint32_t ni_mpi_abi_version(void) { return 1; }

const char* ni_mpi_last_error_message(void) { return last_message.c_str(); }

const char* ni_mpi_library_version(void) {
    static char text[MPI_MAX_LIBRARY_VERSION_STRING + 1];
    static std::once_flag once;
    std::call_once(once, [] {
        int length = 0;
        MPI_Get_library_version(text, &length);
    });
    return text;
}

ni_mpi_status ni_mpi_start(double seconds) {
    return guarded([&] {
        require_seconds(seconds);
        start(seconds);
    });
}

ni_mpi_status ni_mpi_finish(double seconds) {
    return guarded([&] {
        require_seconds(seconds, true);
        if (!is_ours_to_end()) return;
        const auto farewell = [end = after(std::min(seconds, kFarewell))] { Groups::all().leave_all(end); };
        if (!finish(farewell, after(seconds) + kLastTry)) {
            throw Failure{NI_MPI_STATUS_TIMED_OUT, "not all processes have come to the end of MPI"};
        }
    });
}

ni_mpi_status ni_mpi_open_world(double seconds, int32_t* group) {
    return guarded([&] {
        require_seconds(seconds);
        require(group != nullptr, "group is null");
        const Clock::time_point deadline = after(seconds);
        const World world = open_world(deadline);
        int size = 0, rank = 0;
        {
            const Turn turn;
            check(MPI_Comm_size(world.communicator, &size), "MPI_Comm_size");
            check(MPI_Comm_rank(world.communicator, &rank), "MPI_Comm_rank");
        }
        std::vector<int> members(static_cast<size_t>(size));
        for (int r = 0; r < size; ++r) members[static_cast<size_t>(r)] = r;
        const auto opened = std::make_shared<Group>(world.communicator, std::move(members), rank, world.channel);
        const int32_t number = Groups::all().add(opened);
        try {
            opened->find_hosts(std::max(0.001, std::chrono::duration<double>(deadline - Clock::now()).count()));
        } catch (const Fault& fault) {
            Groups::all().remove(number);
            std::string who;
            for (size_t r = 0; r < fault.presence.size(); ++r) {
                if (fault.presence[r] != NI_MPI_PRESENCE_PRESENT) who += (who.empty() ? "" : ", ") + std::to_string(r);
            }
            throw Failure{NI_MPI_STATUS_TIMED_OUT, "the group of all processes was not opened by these ranks: " + who};
        }
        *group = number;
    });
}

ni_mpi_status ni_mpi_open_part(int32_t parent, const int32_t* ranks, int32_t size, int32_t channel, int32_t* group) {
    return guarded([&] {
        require(group != nullptr, "group is null");
        require(ranks != nullptr, "ranks is null");
        const std::shared_ptr<Group> whole = Groups::all().at(parent);
        require(size >= 1 && size <= whole->size(), "size is %d, expected 1 to %d", size, whole->size());
        require(channel >= 1 && channel <= part_channel_limit(), "channel is %d, expected 1 to %d", channel,
                part_channel_limit());
        int rank = 0;
        std::vector<int> members = members_of_part(*whole, ranks, size, &rank);
        const auto opened = std::make_shared<Group>(whole->communicator(), std::move(members), rank, channel);
        opened->take_hosts(*whole, ranks);
        *group = Groups::all().add(opened);
    });
}

ni_mpi_status ni_mpi_channel_limit(int32_t* limit) {
    return guarded([&] {
        require(limit != nullptr, "limit is null");
        *limit = part_channel_limit();
    });
}

ni_mpi_status ni_mpi_describe(int32_t group, int32_t* rank, int32_t* size) {
    return guarded([&] {
        require(rank != nullptr, "rank is null");
        require(size != nullptr, "size is null");
        const std::shared_ptr<Group> found = Groups::all().at(group);
        *rank = found->rank();
        *size = found->size();
    });
}

ni_mpi_status ni_mpi_gather(int32_t group, const uint8_t* block, int64_t bytes, double seconds, uint8_t* presence,
                            int32_t* finder) {
    return guarded([&] {
        require_seconds(seconds);
        const std::shared_ptr<Group> found = Groups::all().at(group);
        require(bytes >= 0 && bytes <= kMostBytes / found->size(), "bytes is %lld, expected 0 to %lld",
                static_cast<long long>(bytes), static_cast<long long>(kMostBytes / found->size()));
        require(block != nullptr || bytes == 0, "block is null");
        operate(*found, presence, finder, [&] { found->gather(block, bytes, seconds); });
    });
}

ni_mpi_status ni_mpi_exchange(int32_t group, const uint8_t* data, const int64_t* bounds, double seconds,
                              uint8_t* presence, int32_t* finder) {
    return guarded([&] {
        require_seconds(seconds);
        const std::shared_ptr<Group> found = Groups::all().at(group);
        check_bounds(*found, data, bounds);
        operate(*found, presence, finder, [&] { found->exchange(data, bounds, seconds); });
    });
}

ni_mpi_status ni_mpi_block(int32_t group, int32_t rank, const uint8_t** block, int64_t* bytes) {
    return guarded([&] {
        require(block != nullptr, "block is null");
        require(bytes != nullptr, "bytes is null");
        const std::shared_ptr<Group> found = Groups::all().at(group);
        require(rank >= 0 && rank < found->size(), "rank is %d, expected 0 to %d", rank, found->size() - 1);
        const Block here = found->block(rank);
        *block = here.data;
        *bytes = here.bytes;
    });
}

ni_mpi_status ni_mpi_close(int32_t group) {
    return guarded([&] {
        const std::shared_ptr<Group> found = Groups::all().at(group);
        Groups::all().remove(group);
        try {
            if (found->leave()) found->release();
        } catch (const Failure&) {
            // MPI has ended already: the others know.
        }
    });
}
