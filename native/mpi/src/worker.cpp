#include "worker.h"

#include <thread>
#include <utility>

namespace ni::mpi {

Worker::Worker() {
    std::thread([shared = shared_] { work(shared); }).detach();
}

Worker::~Worker() {
    const std::lock_guard<std::mutex> lock(shared_->gate);
    shared_->quit = true;
    shared_->changed.notify_all();
}

bool Worker::run(std::function<void()> job, Clock::time_point deadline) {
    const std::unique_lock<std::timed_mutex> mine(callers_, deadline);
    if (!mine.owns_lock() || lost_) return false;
    std::unique_lock<std::mutex> lock(shared_->gate);
    shared_->job = std::move(job);
    shared_->has_job = true;
    shared_->done = false;
    shared_->changed.notify_all();
    if (!shared_->changed.wait_until(lock, deadline, [&] { return shared_->done; })) {
        lost_ = true;
        return false;
    }
    if (shared_->thrown) std::rethrow_exception(std::exchange(shared_->thrown, nullptr));
    return true;
}

void Worker::work(const std::shared_ptr<Shared>& shared) {
    std::unique_lock<std::mutex> lock(shared->gate);
    for (;;) {
        shared->changed.wait(lock, [&] { return shared->has_job || shared->quit; });
        if (!shared->has_job) return;
        shared->has_job = false;
        std::function<void()> job = std::move(shared->job);
        lock.unlock();
        std::exception_ptr thrown;
        try {
            job();
        } catch (...) {
            thrown = std::current_exception();
        }
        job = nullptr;
        lock.lock();
        shared->thrown = thrown;
        shared->done = true;
        shared->changed.notify_all();
    }
}

}  // namespace ni::mpi
