#include "support/guarded.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace ni::test {

GuardedPages::GuardedPages(size_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t inner = (bytes + page - 1) / page * page;
    map_bytes_ = inner + 2 * page;
    void* map = mmap(nullptr, map_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) throw std::bad_alloc();
    map_ = static_cast<unsigned char*>(map);
    begin_ = map_ + page;
    end_ = begin_ + inner;
    if (inner == 0) return;
    if (mprotect(begin_, inner, PROT_READ | PROT_WRITE) != 0) {
        munmap(map_, map_bytes_);
        throw std::bad_alloc();
    }
    memset(begin_, kPoison, inner);
}

GuardedPages::~GuardedPages() { munmap(map_, map_bytes_); }

void GuardedPages::make_read_only() {
    const auto inner = static_cast<size_t>(end_ - begin_);
    if (inner != 0 && mprotect(begin_, inner, PROT_READ) != 0) throw std::bad_alloc();
}

}  // namespace ni::test
