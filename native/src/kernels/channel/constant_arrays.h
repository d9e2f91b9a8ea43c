// The constants of all channels of a channels-last tensor, member by member.
#pragma once

#include <stdint.h>

#include "kernels/kernel_types.h"
#include "kernels/scratch.h"

namespace ni {

template <class Constants>
class ConstantArrays;

template <>
class ConstantArrays<ApplyConstants> {
public:
    explicit ConstantArrays(int64_t channels) : channels_(channels), values_(3 * channels) {}
    void set(int64_t c, const ApplyConstants& constants) {
        float* value = values_.data() + c;
        value[0] = constants.center;
        value[channels_] = constants.scale;
        value[2 * channels_] = constants.offset;
    }
    ApplyArrays from(int64_t c) const {
        const float* value = values_.data() + c;
        return {value, value + channels_, value + 2 * channels_};
    }

private:
    int64_t channels_;
    Scratch<float> values_;
};

template <>
class ConstantArrays<BackwardConstants> {
public:
    explicit ConstantArrays(int64_t channels) : channels_(channels), values_(5 * channels) {}
    void set(int64_t c, const BackwardConstants& constants) {
        float* value = values_.data() + c;
        value[0] = constants.center;
        value[channels_] = constants.invstd;
        value[2 * channels_] = constants.scale;
        value[3 * channels_] = constants.slope;
        value[4 * channels_] = constants.offset;
    }
    BackwardArrays from(int64_t c) const {
        const float* value = values_.data() + c;
        return {value, value + channels_, value + 2 * channels_, value + 3 * channels_, value + 4 * channels_};
    }

private:
    int64_t channels_;
    Scratch<float> values_;
};

}  // namespace ni
