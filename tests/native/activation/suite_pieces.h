// What the suites of the kernels with an activation share: the kinds of activation, constants and masks of a case.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "activation/steps.h"
#include "kernels/elementwise.h"

namespace ni::test {

/// What one call is told to do.
struct Kind {
    Activation activation;
    bool residual, mask;
};
constexpr Kind kForwardKinds[] = {{Activation::kRelu, false, false},
                                  {Activation::kRelu, true, false},
                                  {Activation::kRelu, false, true},
                                  {Activation::kRelu, true, true},
                                  {Activation::kSilu, false, false}};
constexpr Kind kBackwardKinds[] = {
    {Activation::kRelu, false, false}, {Activation::kRelu, false, true}, {Activation::kSilu, false, false}};

/// What a case is run with, one after another: `count` of the kinds, in turns, so that neighbouring cases take others.
template <size_t kAll>
std::vector<Kind> kinds_of(const KernelCase& piece, const Kind (&kinds)[kAll], size_t count) {
    const auto turn = static_cast<size_t>(piece.count + piece.length + piece.gap);
    std::vector<Kind> taken;
    for (size_t i = 0; i < count; ++i) taken.push_back(kinds[(turn + 2 * i) % kAll]);
    return taken;
}
inline std::vector<Kind> forward_kinds(const KernelCase& piece) { return kinds_of(piece, kForwardKinds, 2); }
inline std::vector<Kind> backward_kinds(const KernelCase& piece) { return kinds_of(piece, kBackwardKinds, 1); }

/// The constants that make z.
template <class E>
struct ZConstantsOf {
    explicit ZConstantsOf(const KernelCase& piece)
        : center(constants<E>(piece, 0, offset_of(piece), 0.1)),
          scale(constants<E>(piece, 1, 0, piece.fill == Fill::kLargest ? 0.1 : 1)),
          offset(constants<E>(piece, 2)) {}
    ApplyConstants<typename E::Constant> first() const { return {center[0], scale[0], offset[0]}; }
    ApplyArrays<typename E::Constant> arrays() const { return {center.data(), scale.data(), offset.data()}; }

    Guarded<typename E::Constant> center, scale, offset;
};

/// z of the case's first input, as the plain kernels write it, run after run without the gaps.
template <class E>
std::vector<typename E::Data> stored_z(const KernelCase& piece) {
    const std::vector<typename E::Data> x = inputs<E>(piece, 0);
    std::vector<typename E::Data> z(x.size());
    const ZConstantsOf<E> k(piece);
    const auto& kernels = kScalarKernels.of(E());
    if (piece.form == Form::kRows) {
        kernels.rows_apply(x.data(), {piece.count, piece.length, piece.length}, k.arrays(), Store::kCached, z.data());
    } else {
        kernels.planes_apply(x.data(), {piece.count, piece.length, piece.length}, k.first(), Store::kCached, z.data());
    }
    return z;
}

/// A mask for the elements of a case, which begin with a byte, or within one. Bits that are no element's are kPoison's.
class MaskOfCase {
public:
    explicit MaskOfCase(const KernelCase& piece)
        : piece_(piece),
          first_(static_cast<int64_t>(piece.seed() / 2 % 16) * (piece.seed() % 2 == 0 ? 1 : 8)),
          bytes_((first_ + piece.extent() + 7) / 8, piece.flush) {
        for (int64_t i = 0; i < bytes_.size(); ++i) bytes_[i] = kPoison;
    }

    Mask<uint8_t> to_write() { return {bytes_.data(), first_}; }
    /// Read-only from now on.
    Mask<const uint8_t> to_read(const std::vector<bool>& bits) {
        for (int64_t i = 0; i < piece_.elements(); ++i) {
            const int64_t at = place(i);
            const uint32_t byte = bytes_[at / 8], bit = 1U << at % 8;
            bytes_[at / 8] = static_cast<uint8_t>(bits[static_cast<size_t>(i)] ? byte | bit : byte & ~bit);
        }
        bytes_.make_read_only();
        return {bytes_.data(), first_};
    }

    /// Appends the elements' bits, and checks that all others are as they were.
    void append_to(std::vector<double>& outcome) const {
        EXPECT_TRUE(bytes_.surroundings_untouched());
        std::vector<uint8_t> others = bytes_.copy();
        for (int64_t i = 0; i < piece_.elements(); ++i) {
            const int64_t at = place(i);
            auto& byte = others[static_cast<size_t>(at / 8)];
            outcome.push_back(byte >> at % 8 & 1);
            byte = static_cast<uint8_t>((byte & ~(1U << at % 8)) | (kPoison & 1U << at % 8));
        }
        EXPECT_TRUE(others == std::vector<uint8_t>(others.size(), kPoison)) << "wrote bits of other elements";
    }

private:
    int64_t place(int64_t element) const {
        return first_ + element / piece_.length * piece_.stride + element % piece_.length;
    }

    const KernelCase& piece_;
    int64_t first_;
    Guarded<uint8_t> bytes_;
};

/// Bits of a mask that have nothing to do with z.
inline std::vector<bool> random_bits(const KernelCase& piece) {
    std::vector<bool> bits;
    for (int64_t i = 0; i < piece.elements(); ++i) bits.push_back(mixed(piece.seed() + static_cast<uint64_t>(i)) & 1U);
    return bits;
}

/// g of a case, by the separate steps.
template <class E>
std::vector<typename E::Data> stored_gradient(const KernelCase& piece, const Kind& kind) {
    std::vector<typename E::Data> dy = inputs<E>(piece, 1);
    if (!kind.mask) return Steps<E>(kind.activation, stored_z<E>(piece), {}).gradient(dy);
    const std::vector<bool> bits = random_bits(piece);
    for (size_t i = 0; i < dy.size(); ++i)
        if (!bits[i]) dy[i] = typename E::Data{};
    return dy;
}

inline void append(std::vector<double>& to, const std::vector<double>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

}  // namespace ni::test
