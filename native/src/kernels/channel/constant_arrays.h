// The constants of all channels of a channels-last tensor, member by member.
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/kernel_types.h"
#include "kernels/scratch.h"

namespace ni {

/// The pointers to the arrays of a kind of constants, `stride` elements apart.
template <class Constant>
ApplyArrays<Constant> arrays_of(const ApplyConstants<Constant>*, const Constant* first, int64_t stride) {
    return {first, first + stride, first + 2 * stride};
}
template <class Constant>
BackwardArrays<Constant> arrays_of(const BackwardConstants<Constant>*, const Constant* first, int64_t stride) {
    return {first, first + stride, first + 2 * stride, first + 3 * stride, first + 4 * stride};
}

/// The constants of one channel or row as arrays of one element.
template <class Constant>
ApplyArrays<Constant> arrays_of(const ApplyConstants<Constant>& one) {
    return {&one.center, &one.scale, &one.offset};
}
template <class Constant>
BackwardArrays<Constant> arrays_of(const BackwardConstants<Constant>& one) {
    return {&one.center, &one.invstd, &one.scale, &one.slope, &one.offset};
}

/// An array for each member of Constants, which are of one type.
template <class Constants>
class ConstantArrays {
    using Member = decltype(Constants::center);

public:
    explicit ConstantArrays(int64_t channels) : channels_(channels), values_(channels, kMembers) {}

    void set(int64_t c, const Constants& constants) {
        Member members[sizeof(Constants) / sizeof(Member)];
        memcpy(members, &constants, sizeof members);
        for (int64_t m = 0; m < kMembers; ++m) values_.data()[m * channels_ + c] = members[m];
    }

    /// The arrays from channel c on.
    auto from(int64_t c) const {
        return arrays_of(static_cast<const Constants*>(nullptr), values_.data() + c, channels_);
    }

private:
    static constexpr int64_t kMembers = static_cast<int64_t>(sizeof(Constants) / sizeof(Member));

    int64_t channels_;
    Scratch<Member> values_;
};

}  // namespace ni
