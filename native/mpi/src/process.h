// What a process has of MPI: its beginning, its end, and whose turn it is to call it.
#pragma once

#include <mpi.h>

#include <chrono>
#include <functional>
#include <mutex>

namespace ni::mpi {

using Clock = std::chrono::steady_clock;

/// The time so many seconds from now.
Clock::time_point after(double seconds);

/// While one exists, its thread may call MPI. Threads take turns, so that MPI_THREAD_SERIALIZED is enough; nobody
/// sleeps or computes during a turn. Throws Failure where MPI does not run, or not for this thread, or hangs in another
/// one.
class Turn {
public:
    Turn();

private:
    std::unique_lock<std::timed_mutex> lock_;
};

/// See ni_mpi_start.
void start(double seconds);

/// Whether MPI runs, was started here, and has not been finalized.
bool is_ours_to_end();

/// Runs `before`, then finalizes MPI: once, and on the thread that has initialized it. Whether MPI has come to an end
/// before the deadline.
bool finish(const std::function<void()>& before, Clock::time_point deadline);

/// The communicator of all our messages, and the channel of one more group of all processes: the groups of a process
/// count them from the largest down, parts from the smallest up.
struct World {
    MPI_Comm communicator;
    int channel;
};

/// Duplicates MPI_COMM_WORLD at the first call, for which it waits until `deadline`.
World open_world(Clock::time_point deadline);

/// How many channels there are, each of two tags, and the last that is for parts.
int channel_count();
int part_channel_limit();

/// What a thread does that waits for messages: at first nothing, since most are there at once; then it lets others run,
/// which may be the ranks it waits for; at last it sleeps.
class Backoff {
public:
    void pause();

private:
    Clock::time_point begin_ = Clock::now();
    int spins_ = 0;
};

}  // namespace ni::mpi
