// The machine's own limit: moving the bytes that a pass must move at least and computing as good as nothing. A forward
// pass reads x and writes the output; a backward pass reads dy and x and writes the output. How they are written is a
// choice that depends on the machine and on the size, so there are two contestants, with regular and with streaming
// stores.

#include <omp.h>

#include <algorithm>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "shim.h"

// Which of the two this library is: it is built twice.
#ifndef PEER_STREAMING
#error "PEER_STREAMING must be 0 or 1"
#endif

namespace {

constexpr bool kStreaming = PEER_STREAMING != 0;

/// Bytes below which a second thread costs more than it brings: about what one moves while the other wakes up.
constexpr int64_t kAlone = 128 << 10;

/// Bytes of a vector on any machine; the pieces of the threads are multiples of it.
constexpr int64_t kVector = 64;

/// Reads `x`, and `dy` unless it is null; writes `out`. All begin at a multiple of kVector, as does the number of
/// bytes.
using Move = void (*)(const char* x, const char* dy, char* out, int64_t bytes);

#if defined(__x86_64__)

__attribute__((target("avx512f"))) void move_avx512(const char* x, const char* dy, char* out, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i += 64) {
        __m512i value = _mm512_load_si512(x + i);
        if (dy != nullptr) value = _mm512_xor_si512(value, _mm512_load_si512(dy + i));
        if (kStreaming) {
            _mm512_stream_si512(reinterpret_cast<__m512i*>(out + i), value);
        } else {
            _mm512_store_si512(out + i, value);
        }
    }
}

__attribute__((target("avx2"))) void move_avx2(const char* x, const char* dy, char* out, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i += 32) {
        __m256i value = _mm256_load_si256(reinterpret_cast<const __m256i*>(x + i));
        if (dy != nullptr) value = _mm256_xor_si256(value, _mm256_load_si256(reinterpret_cast<const __m256i*>(dy + i)));
        if (kStreaming) {
            _mm256_stream_si256(reinterpret_cast<__m256i*>(out + i), value);
        } else {
            _mm256_store_si256(reinterpret_cast<__m256i*>(out + i), value);
        }
    }
}

void publish() { _mm_sfence(); }

Move choose() {
    if (__builtin_cpu_supports("avx512f")) return move_avx512;
    if (__builtin_cpu_supports("avx2")) return move_avx2;
    throw peer::Unsupported("the limit is measured with AVX2 or AVX-512, which this processor lacks");
}

#else

/// The compiler's vectors; there are no streaming stores to choose.
void move_plain(const char* x, const char* dy, char* out, int64_t bytes) {
    const auto* from = reinterpret_cast<const uint64_t*>(x);
    const auto* other = reinterpret_cast<const uint64_t*>(dy);
    auto* to = reinterpret_cast<uint64_t*>(out);
    for (int64_t i = 0; i < bytes / 8; ++i) to[i] = other != nullptr ? from[i] ^ other[i] : from[i];
}

void publish() {}

Move choose() {
    if (kStreaming) throw peer::Unsupported("no streaming stores on this processor");
    return move_plain;
}

#endif

class Case {
public:
    explicit Case(const peer_case& description)
        : move_(choose()),
          x_(static_cast<const char*>(description.x)),
          dy_(peer::is_backward(description) ? static_cast<const char*>(description.dy) : nullptr),
          out_(static_cast<char*>(description.out)) {
        const int64_t size = description.data_type == PEER_FLOAT64 ? 8 : description.data_type == PEER_FLOAT32 ? 4 : 2;
        // The rest of a vector at the end belongs to the buffers: the program rounds them up.
        const int64_t bytes = peer::product(description, 0, description.rank) * size;
        vectors_ = (bytes + kVector - 1) / kVector;
        threads_ = vectors_ * kVector <= kAlone ? 1 : description.threads;
    }

    void run(int64_t calls) {
        for (int64_t i = 0; i < calls; ++i) {
            if (threads_ == 1) {
                piece(0, vectors_);
                continue;
            }
#pragma omp parallel num_threads(threads_)
            {
                const int64_t thread = omp_get_thread_num(), team = omp_get_num_threads();
                piece(vectors_ * thread / team, vectors_ * (thread + 1) / team);
            }
        }
    }

private:
    void piece(int64_t first, int64_t last) {
        const int64_t start = first * kVector;
        move_(x_ + start, dy_ != nullptr ? dy_ + start : nullptr, out_ + start, (last - first) * kVector);
        if (kStreaming) publish();
    }

    Move move_;
    const char *x_, *dy_;
    char* out_;
    int64_t vectors_ = 0;
    int32_t threads_ = 1;
};

}  // namespace

const char* peer_version(void) { return kStreaming ? "streaming stores" : "regular stores"; }

int32_t peer_create(const peer_case* description, void** handle) {
    return peer::guarded([&] { *handle = new Case(*description); });
}

int32_t peer_run(void* handle, int64_t calls) {
    return peer::guarded([&] { static_cast<Case*>(handle)->run(calls); });
}

int32_t peer_collect(void*) { return PEER_OK; }

const char* peer_implementation(void*) { return kStreaming ? "streaming" : "regular"; }

void peer_destroy(void* handle) { delete static_cast<Case*>(handle); }

const char* peer_last_error(void) { return peer::last_error().c_str(); }
