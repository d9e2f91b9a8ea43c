// Threads. Work arrives as a number of independent pieces whose results do not depend on who runs them or when, so the
// number of threads changes nothing but the time.
#pragma once

#include <stdint.h>

#include <atomic>

namespace ni::parallel {

/// The largest limit that can be set.
constexpr int32_t kMaxThreads = 1024;

/// Threads a call may use at most in this process. By default the processors it may run on, or OMP_NUM_THREADS.
int32_t limit();

/// Sets the limit; 0 restores the default.
void set_limit(int32_t threads);

/// Threads worth using for `elements` elements of work: waking a thread costs as much as some ten thousand of them.
/// `max_threads` is the caller's own limit, 0 for the limit of the process; of a higher one, no more than four times
/// the processors are used.
int32_t threads_for(int64_t elements, int32_t max_threads);

/// The pieces of one run, which are numbers from 0 on, as ranges of equal length, one for each thread. A thread works
/// through its own range in order, so that it reads and writes memory in order: threads that take turns in one range
/// fetch each other's lines, and make half of the memory's speed of it. Then it helps with the others' ranges, piece by
/// piece, so that a thread that is held up by another program leaves the rest to the others.
class Pieces {
public:
    Pieces(int64_t count, int32_t threads) : ranges_(threads < kMostRanges ? threads : kMostRanges) {
        for (int32_t r = 0; r < ranges_; ++r) {
            range_[r].next.store(count / ranges_ * r + count % ranges_ * r / ranges_, std::memory_order_relaxed);
            range_[r].end = count / ranges_ * (r + 1) + count % ranges_ * (r + 1) / ranges_;
        }
    }

    int32_t ranges() const { return ranges_; }

    /// The next piece of a range, or kNone.
    int64_t take(int32_t range) {
        Range& from = range_[range];
        if (from.next.load(std::memory_order_relaxed) >= from.end) return kNone;
        const int64_t piece = from.next.fetch_add(1, std::memory_order_relaxed);
        return piece < from.end ? piece : kNone;
    }

    static constexpr int64_t kNone = -1;

private:
    /// More threads than this share ranges.
    static constexpr int32_t kMostRanges = 64;

    struct alignas(64) Range {
        std::atomic<int64_t> next;
        int64_t end;
    };

    const int32_t ranges_;
    Range range_[kMostRanges];
};

/// One thread's way through the pieces.
class Claims {
public:
    Claims(Pieces& pieces, int32_t thread) : pieces_(pieces), range_(thread % pieces.ranges()) {}

    /// The next piece for this thread; Pieces::kNone where no piece is left.
    int64_t next() {
        for (; visited_ < pieces_.ranges(); ++visited_) {
            const int64_t piece = pieces_.take(range_);
            if (piece != Pieces::kNone) return piece;
            range_ = range_ + 1 < pieces_.ranges() ? range_ + 1 : 0;
        }
        return Pieces::kNone;
    }

private:
    Pieces& pieces_;
    int32_t range_, visited_ = 0;
};

/// Lets other threads see what this one has written past the cache. Once at the end of a call: after each piece,
/// waiting for the stores to arrive would cost as much as small pieces themselves. run() does it for the threads that
/// help.
void publish_streamed_stores();

/// Runs body(context, claims) once on each of up to `threads` threads, of which each is to claim pieces until there are
/// none, and returns when all are done. Threads that have not begun by then are not waited for. The body must not
/// throw.
void run(int64_t pieces, int32_t threads, void (*body)(void* context, Claims& claims), void* context);

/// run() for a callable.
template <class Body>
void on_threads(int64_t pieces, int32_t threads, Body& body) {
    run(
        pieces, threads, [](void* context, Claims& claims) { (*static_cast<Body*>(context))(claims); }, &body);
}

/// Runs body(i) for every i in [0, pieces), likewise.
template <class Body>
void for_each(int64_t pieces, int32_t threads, Body& body) {
    if (threads == 1 || pieces <= 1) {
        for (int64_t i = 0; i < pieces; ++i) body(i);
        return;
    }
    auto each = [&](Claims& claims) {
        for (int64_t i; (i = claims.next()) != Pieces::kNone;) body(i);
    };
    on_threads(pieces, threads, each);
}

}  // namespace ni::parallel
