#include "support/guarded.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <new>
#include <utility>

namespace ni::test {

namespace {

/// Pages of buffers that are gone, by their number of bytes: making new ones would take most of the tests' time.
std::map<size_t, std::vector<unsigned char*>>& spare_pages() {
    static std::map<size_t, std::vector<unsigned char*>> spare;
    return spare;
}

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

unsigned char* new_pages(size_t bytes) {
    const size_t page = page_bytes();
    void* map = mmap(nullptr, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) throw std::bad_alloc();
    unsigned char* first = static_cast<unsigned char*>(map) + page;
    if (bytes != 0 && mprotect(first, bytes, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    return first;
}

}  // namespace

GuardedPages::GuardedPages(size_t bytes) {
    const size_t page = page_bytes(), whole = (bytes + page - 1) / page * page;
    auto& spare = spare_pages()[whole];
    if (spare.empty()) {
        begin_ = new_pages(whole);
    } else {
        begin_ = spare.back();
        spare.pop_back();
    }
    end_ = begin_ + whole;
    memset(begin_, kPoison, whole);
}

GuardedPages::GuardedPages(GuardedPages&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)),
      end_(std::exchange(other.end_, nullptr)),
      read_only_(other.read_only_) {}

GuardedPages::~GuardedPages() {
    if (begin_ == nullptr) return;
    const auto whole = static_cast<size_t>(end_ - begin_);
    if (read_only_ && mprotect(begin_, whole, PROT_READ | PROT_WRITE) != 0) std::abort();
    spare_pages()[whole].push_back(begin_);
}

void GuardedPages::make_read_only() {
    const auto whole = static_cast<size_t>(end_ - begin_);
    if (whole != 0 && mprotect(begin_, whole, PROT_READ) != 0) throw std::bad_alloc();
    read_only_ = whole != 0;
}

}  // namespace ni::test
