#include "process.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "failure.h"
#include "worker.h"

namespace ni::mpi {
namespace {

struct State {
    std::timed_mutex turn;
    std::atomic<bool> running = false;
    std::atomic<bool> ours = false;  // started here, so ended here
    bool any_thread = false;         // or only the one that MPI calls the main one
    MPI_Comm world = MPI_COMM_NULL;
    MPI_Request duplicating = MPI_REQUEST_NULL;
    bool duplicated = false;
    int worlds = 0;
};

// Turns are a matter of microseconds.
constexpr std::chrono::seconds kLongestTurn{10};

// Never destroyed: threads may be in a call while the process ends.
State& state() {
    static State& instance = *new State;
    return instance;
}

bool is_finalized() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    return finalized != 0;
}

bool is_initialized() {
    int initialized = 0;
    MPI_Initialized(&initialized);
    return initialized != 0;
}

// Begins to make the communicator, at the first call, and tells whether it is there.
bool duplicate_world(State& s) {
    if (s.duplicated) return true;
    if (s.duplicating == MPI_REQUEST_NULL) {
        check(MPI_Comm_idup(MPI_COMM_WORLD, &s.world, &s.duplicating), "MPI_Comm_idup");
    }
    int done = 0;
    check(MPI_Test(&s.duplicating, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (!done) return false;
    check(MPI_Comm_set_errhandler(s.world, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    s.duplicated = true;
    return true;
}

/// What MPI wants to be called by one and the same thread: its beginning and its end, which may both take for ever.
Worker& first_and_last() {
    static Worker& worker = *new Worker;
    return worker;
}

}  // namespace

void check(int code, const char* function) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING + 1] = {};
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw Failure{NI_MPI_STATUS_MPI_ERROR, std::string(function) + ": " + text};
}

Clock::time_point after(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

Turn::Turn() : lock_(state().turn, kLongestTurn) {
    if (!lock_.owns_lock())
        throw Failure{NI_MPI_STATUS_MPI_ERROR, "MPI does not return from the call of another thread"};
    if (!state().running)
        throw Failure{NI_MPI_STATUS_NOT_RUNNING, "MPI does not run: it was not started, or is finalized"};
    if (state().any_thread) return;
    int is_main = 0;
    MPI_Is_thread_main(&is_main);
    if (!is_main) {
        throw Failure{NI_MPI_STATUS_NOT_RUNNING,
                      "MPI was initialized for its main thread only, and this is another one; expected at least "
                      "MPI_THREAD_SERIALIZED"};
    }
}

void start(double seconds) {
    State& s = state();
    const std::unique_lock<std::timed_mutex> lock(s.turn, kLongestTurn);
    if (!lock.owns_lock())
        throw Failure{NI_MPI_STATUS_MPI_ERROR, "MPI does not return from the call of another thread"};
    if (is_finalized()) {
        throw Failure{NI_MPI_STATUS_NOT_RUNNING, "MPI is finalized, and cannot be started twice in a process"};
    }
    if (s.running) return;
    if (s.ours || !is_initialized()) {
        // MPI waits for the other processes here, and takes no limit.
        s.ours = true;
        const auto initialize = [] {
            int level = 0;
            check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level), "MPI_Init_thread");
        };
        if (!first_and_last().run(initialize, after(seconds))) {
            throw Failure{NI_MPI_STATUS_TIMED_OUT, "MPI has not started: not all processes have started it"};
        }
    }
    int level = 0;
    check(MPI_Query_thread(&level), "MPI_Query_thread");
    s.any_thread = level >= MPI_THREAD_SERIALIZED;
    s.running = true;
    if (s.ours && !s.any_thread) {
        throw Failure{NI_MPI_STATUS_MPI_ERROR, "this MPI is for one thread only; expected MPI_THREAD_SERIALIZED"};
    }
}

bool is_ours_to_end() { return state().running && state().ours && !is_finalized(); }

bool finish(const std::function<void()>& before, Clock::time_point deadline) {
    static std::timed_mutex& once = *new std::timed_mutex;
    const std::unique_lock<std::timed_mutex> mine(once, deadline);
    if (!mine.owns_lock()) return false;
    if (!is_ours_to_end()) return true;
    const auto job = [before] {
        before();
        {
            const Turn last;
            state().running = false;
        }
        MPI_Finalize();
    };
    return first_and_last().run(job, deadline);
}

World open_world(Clock::time_point deadline) {
    State& s = state();
    Backoff backoff;
    for (;;) {
        {
            const Turn turn;
            if (duplicate_world(s)) {
                const int channel = channel_count() - ++s.worlds;
                if (channel <= part_channel_limit()) {
                    throw Failure{NI_MPI_STATUS_INVALID_ARGUMENT,
                                  "the process has had too many groups of all processes"};
                }
                return {s.world, channel};
            }
        }
        if (Clock::now() >= deadline) {
            throw Failure{NI_MPI_STATUS_TIMED_OUT, "not all processes have come to open the group of all of them"};
        }
        backoff.pause();
    }
}

int channel_count() {
    // The least that MPI promises, and so the same on every rank.
    constexpr int tags = 32767;
    return tags / 2;
}

int part_channel_limit() { return channel_count() / 2; }

void Backoff::pause() {
    constexpr int kSpins = 200;
    if (++spins_ < kSpins) return;
    const auto waited = Clock::now() - begin_;
    if (waited < std::chrono::milliseconds(2)) {
        std::this_thread::yield();
    } else {
        // A thousandth of the time waited so far: late by that much at most.
        const auto nap =
            std::clamp<Clock::duration>(waited / 1000, std::chrono::microseconds(20), std::chrono::milliseconds(1));
        std::this_thread::sleep_for(nap);
    }
}

}  // namespace ni::mpi
