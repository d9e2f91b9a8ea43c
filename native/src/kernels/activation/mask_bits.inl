// A mask's bits, some at a time.
#pragma once

#include "kernels/kernel_types.h"
#include "simd/contract.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "two bytes of a mask are written as one number");

namespace {
namespace ni_activation {

/// Writes bits one after another. The bytes at both ends may have bits of other elements, which another thread may be
/// writing.
class BitWriter {
public:
    /// From an element of the mask's piece on.
    NI_INLINE BitWriter from(const ni::Mask<uint8_t>& mask, int64_t element) {
        BitWriter writer;
        writer.at_ = mask.bytes + (mask.first + element) / 8;
        writer.begin_ = writer.end_ = static_cast<int>((mask.first + element) % 8);
        return writer;
    }

    /// Takes bits 0 to count - 1, at most 16, others being 0.
    inline __attribute__((always_inline)) void put(uint32_t bits, int count) {
        if (end_ == 0 && count == 16) {
            const auto both = static_cast<uint16_t>(bits);
            __builtin_memcpy(at_, &both, sizeof both);
            at_ += 2;
            return;
        }
        bits_ |= bits << end_;
        for (end_ += count; end_ >= 8; end_ -= 8) {
            if (begin_ != 0) {
                share(255U << begin_);
                begin_ = 0;
            } else {
                *at_ = static_cast<uint8_t>(bits_);
            }
            ++at_;
            bits_ >>= 8;
        }
    }

    inline __attribute__((always_inline)) void finish() {
        if (end_ > begin_) share((255U << begin_) & ((1U << end_) - 1U));
    }

private:
    /// Writes those bits of a byte that are set in `own`, and leaves the others.
    inline __attribute__((always_inline)) void share(uint32_t own) {
        uint8_t before = __atomic_load_n(at_, __ATOMIC_RELAXED), after;
        do {
            after = static_cast<uint8_t>((before & ~own) | (bits_ & own));
        } while (!__atomic_compare_exchange_n(at_, &before, after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    }

    uint8_t* at_ = nullptr;
    uint32_t bits_ = 0;
    int begin_ = 0, end_ = 0;  ///< of the bits in the byte at at_, those that are this writer's
};

/// The bits of `count` elements from number `first` on, at most 16, and maybe others above; reads no byte beyond them.
NI_INLINE uint32_t bits_at(const uint8_t* bytes, int64_t first, int count) {
    const uint8_t* p = bytes + first / 8;
    const int shift = static_cast<int>(first % 8), used = shift + count;
    // Addresses, not branches: of planes that begin anywhere in a byte, no two are alike.
    const uint32_t bits =
        p[0] | static_cast<uint32_t>(p[used > 8]) << 8 | static_cast<uint32_t>(p[used > 16 ? 2 : 0]) << 16;
    return bits >> shift;
}

}  // namespace ni_activation
}  // namespace
