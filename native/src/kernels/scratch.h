// Working memory of one call.
#pragma once

#include <stdint.h>

#include <new>

namespace ni {

/// Cache-line aligned memory for `count` elements, uninitialized, freed at the end of the scope. Throws std::bad_alloc.
template <class T>
class Scratch {
public:
    explicit Scratch(int64_t count)
        : data_(static_cast<T*>(::operator new(static_cast<uint64_t>(count) * sizeof(T), kAlignment))) {}
    ~Scratch() { ::operator delete(data_, kAlignment); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    T* data() const { return data_; }

private:
    static constexpr std::align_val_t kAlignment{64};
    T* data_;
};

}  // namespace ni
