#include "kernels/scratch.h"

namespace ni {

ScratchMemory& ScratchMemory::of_thread() {
    static thread_local ScratchMemory memory;
    return memory;
}

void* ScratchMemory::take(uint64_t bytes) {
    // Nothing is in use: the time to make what is kept as large as the calls before have wanted it.
    if (used_ + elsewhere_ == 0 && size_ < wanted_) {
        ::operator delete(kept_, kAlignment);
        kept_ = nullptr;
        size_ = 0;
        kept_ = static_cast<unsigned char*>(::operator new(wanted_, kAlignment));
        size_ = wanted_;
    }
    if (bytes <= size_ - used_) {
        void* memory = kept_ + used_;
        used_ += bytes;
        return memory;
    }
    void* memory = ::operator new(bytes, kAlignment);
    elsewhere_ += bytes;
    const uint64_t all = used_ + elsewhere_;
    if (all > wanted_ && all <= kMostKept) wanted_ = all;
    return memory;
}

void ScratchMemory::give_back(void* memory, uint64_t bytes) noexcept {
    if (is_kept(memory)) {
        used_ -= bytes;
    } else {
        elsewhere_ -= bytes;
        ::operator delete(memory, kAlignment);
    }
}

ScratchMemory::~ScratchMemory() { ::operator delete(kept_, kAlignment); }

}  // namespace ni
