// Buffers that make a stray access visible: the pages around them cannot be touched, and what the buffer does not use
// of its own pages is poisoned. POSIX only.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace ni::test {

/// Every byte that nobody has written yet. As a float: -2.9e-16, an unlikely result.
constexpr unsigned char kPoison = 0xA5;

/// Which end of the buffer lies against a forbidden page.
enum class Flush { kEnd, kStart };

/// Whole pages between two forbidden ones, poisoned. For one thread at a time.
class GuardedPages {
public:
    explicit GuardedPages(size_t bytes);
    ~GuardedPages();
    GuardedPages(GuardedPages&& other) noexcept;
    GuardedPages& operator=(GuardedPages&&) = delete;
    unsigned char* begin() const { return begin_; }
    unsigned char* end() const { return end_; }
    /// From now on a write faults.
    void make_read_only();

private:
    unsigned char *begin_, *end_;
    bool read_only_ = false;
};

/// `count` elements that end (kEnd) or begin (kStart) at a forbidden page. `gap` elements stay between them and that
/// page, which is how a buffer gets every alignment that its element type allows.
template <class T>
class Guarded {
public:
    explicit Guarded(int64_t count, Flush flush = Flush::kEnd, int64_t gap = 0)
        : count_(static_cast<size_t>(count)), pages_((count_ + static_cast<size_t>(gap)) * sizeof(T)) {
        unsigned char* first = flush == Flush::kEnd ? pages_.end() - (count_ + static_cast<size_t>(gap)) * sizeof(T)
                                                    : pages_.begin() + static_cast<size_t>(gap) * sizeof(T);
        data_ = reinterpret_cast<T*>(first);
    }
    explicit Guarded(const std::vector<T>& values, Flush flush = Flush::kEnd, int64_t gap = 0)
        : Guarded(static_cast<int64_t>(values.size()), flush, gap) {
        if (!values.empty()) memcpy(data_, values.data(), values.size() * sizeof(T));
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    T& operator[](int64_t i) { return data_[i]; }
    const T& operator[](int64_t i) const { return data_[i]; }
    int64_t size() const { return static_cast<int64_t>(count_); }
    std::vector<T> copy() const { return std::vector<T>(data_, data_ + count_); }
    void make_read_only() { pages_.make_read_only(); }

    /// True while all that lies on the buffer's pages outside of it is still poison.
    bool surroundings_untouched() const {
        const auto* first = reinterpret_cast<const unsigned char*>(data_);
        for (const unsigned char* p = pages_.begin(); p < first; ++p)
            if (*p != kPoison) return false;
        for (const unsigned char* p = first + count_ * sizeof(T); p < pages_.end(); ++p)
            if (*p != kPoison) return false;
        return true;
    }

private:
    size_t count_;
    GuardedPages pages_;
    T* data_;
};

}  // namespace ni::test
