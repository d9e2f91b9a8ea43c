// Working memory of one call.
#pragma once

#include <stdint.h>

#include <new>

namespace ni {

/// Memory that a thread keeps from call to call, for working memory that is given back in the reverse order: fresh
/// memory of some hundred kilobytes costs more in page faults than the work that it is for.
class ScratchMemory {
public:
    /// That of the calling thread; given back to the system when the thread ends.
    static ScratchMemory& of_thread();

    /// Cache-line aligned. Throws std::bad_alloc.
    void* take(uint64_t bytes);
    /// What take() returned last.
    void give_back(void* memory, uint64_t bytes) noexcept;

    ~ScratchMemory();

private:
    /// What is kept for the next call at most.
    static constexpr uint64_t kMostKept = 8 << 20;
    static constexpr std::align_val_t kAlignment{64};

    bool is_kept(const void* memory) const { return memory >= kept_ && memory < kept_ + size_; }

    unsigned char* kept_ = nullptr;
    uint64_t size_ = 0, used_ = 0;
    uint64_t elsewhere_ = 0;  ///< bytes in use that did not fit
    uint64_t wanted_ = 0;
};

/// Cache-line aligned memory for `count` times `each` elements, uninitialized, given back at the end of the scope.
/// Throws std::bad_alloc, also where the size does not fit in 63 bits. A little of it lies in the object itself: a call
/// on a few channels takes no longer than other ways to find memory.
template <class T>
class Scratch {
public:
    explicit Scratch(int64_t count, int64_t each = 1) : bytes_(bytes_of(count, each)) {
        data_ = is_own() ? reinterpret_cast<T*>(own_) : static_cast<T*>(ScratchMemory::of_thread().take(bytes_));
    }
    ~Scratch() {
        if (!is_own()) ScratchMemory::of_thread().give_back(data_, bytes_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    T* data() const { return data_; }

private:
    static constexpr uint64_t kLine = 64;

    /// Whole cache lines.
    static uint64_t bytes_of(int64_t count, int64_t each) {
        int64_t bytes;
        if (__builtin_mul_overflow(count, each, &bytes) ||
            __builtin_mul_overflow(bytes, static_cast<int64_t>(sizeof(T)), &bytes)) {
            throw std::bad_alloc();
        }
        return (static_cast<uint64_t>(bytes) + kLine - 1) / kLine * kLine;
    }
    bool is_own() const { return bytes_ <= sizeof own_; }

    alignas(kLine) unsigned char own_[512];
    uint64_t bytes_;
    T* data_;
};

}  // namespace ni
