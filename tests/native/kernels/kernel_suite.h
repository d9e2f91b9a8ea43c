// How a kernel is tested: one suite for each name of kKernelNames.
#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

#include "kernels/kernel_case.h"
#include "kernels/registry.h"

namespace ni::test {

/// All that one call computed: data for kernels that map elements, sums by channel for those that reduce.
struct Outcome {
    std::vector<float> data;
    std::vector<double> first, second;
};

struct KernelSuite {
    const char* kernel;
    bool rows;    ///< takes rows, not planes
    bool writes;  ///< writes data, so that stores, alignment and place of the output matter
    /// Calls the kernel on buffers between forbidden pages and verifies what it may not touch.
    Outcome (*run)(const KernelTable& kernels, const KernelCase& piece);
    /// Compares an outcome with sums and products in long double.
    void (*check)(const KernelCase& piece, const Outcome& outcome);
};

extern const KernelSuite kPlanesMoments, kRowsMoments;
extern const KernelSuite kPlanesApply, kRowsApply;
extern const KernelSuite kPlanesBackwardReduce, kRowsBackwardReduce;
extern const KernelSuite kPlanesBackwardApply, kRowsBackwardApply;

/// 2^-24: the largest relative error of one rounding to float.
constexpr long double kRoundoff = 0x1p-24L;

/// Additions in float that an element's sum goes through at most, before double takes over: the rows of a block, or 16
/// groups of a plane and the sum of two accumulators.
inline int64_t additions(const KernelCase& piece) { return piece.rows ? kRowBlock : 16 + 1; }

/// A reduction by channel has room for whole vectors, and leaves what stands beyond the channels undefined.
inline int64_t room_for(int64_t channels) { return (channels + 15) / 16 * 16; }

}  // namespace ni::test
