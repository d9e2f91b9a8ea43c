// A thread for calls that may never return.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "process.h"

namespace ni::mpi {

/// Runs jobs on a thread of its own, one at a time, and leaves it behind when one takes too long. Over TCP, a call of
/// MPI can wait for itself when a process at the other end dies in the middle of a message, and then no clock helps
/// whoever made the call.
class Worker {
public:
    Worker();
    ~Worker();

    /// Runs a job, and throws what it throws. False if it has not come to an end at the deadline: then it may still do
    /// so at any time, so that all it touches must live on, and no other job will be run; or if another thread's job
    /// has kept it from beginning.
    bool run(std::function<void()> job, Clock::time_point deadline);

private:
    struct Shared {
        std::mutex gate;
        std::condition_variable changed;
        std::function<void()> job;
        bool has_job = false, done = false, quit = false;
        std::exception_ptr thrown;
    };

    static void work(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    std::timed_mutex callers_;  // one at a time
    bool lost_ = false;
};

}  // namespace ni::mpi
