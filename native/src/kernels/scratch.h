// Working memory of one call.
#pragma once

#include <stdint.h>

#include <new>

namespace ni {

/// Cache-line aligned memory for `count` times `each` elements, uninitialized, freed at the end of the scope. Throws
/// std::bad_alloc, also where the size does not fit in 63 bits. A little of it lies in the object itself: a call on a
/// few channels takes less time than the allocator.
template <class T>
class Scratch {
public:
    explicit Scratch(int64_t count, int64_t each = 1) {
        const uint64_t bytes = bytes_of(count, each);
        data_ = bytes <= sizeof own_ ? reinterpret_cast<T*>(own_) : static_cast<T*>(::operator new(bytes, kAlignment));
    }
    ~Scratch() {
        if (data_ != reinterpret_cast<T*>(own_)) ::operator delete(data_, kAlignment);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    T* data() const { return data_; }

private:
    static uint64_t bytes_of(int64_t count, int64_t each) {
        int64_t bytes;
        if (__builtin_mul_overflow(count, each, &bytes) ||
            __builtin_mul_overflow(bytes, static_cast<int64_t>(sizeof(T)), &bytes)) {
            throw std::bad_alloc();
        }
        return static_cast<uint64_t>(bytes);
    }

    static constexpr std::align_val_t kAlignment{64};
    alignas(64) unsigned char own_[512];
    T* data_;
};

}  // namespace ni
