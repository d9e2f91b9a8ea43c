// One call of a kernel: its piece, its inputs, and where its buffers lie.
#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

#include "kernels/registry.h"
#include "support/fill.h"
#include "support/guarded.h"

namespace ni::test {

/// Runs of consecutive elements: planes of one channel, or rows of `length` channels.
struct KernelCase {
    bool rows;
    int64_t count, stride, length;
    Fill fill = Fill::kNormal;
    Store store = Store::kCached;
    Flush flush = Flush::kEnd;
    int64_t gap = 0;         ///< floats between the output and the forbidden page: its alignment
    bool in_place = false;   ///< the output is the first input
    bool in_second = false;  ///< the output is the second input, where there are two
    int64_t next = 0;        ///< Planes::next: what may be fetched, which is not to be read

    int64_t extent() const { return count == 0 ? 0 : (count - 1) * stride + length; }
    int64_t elements() const { return count * length; }
    Planes planes() const { return {count, stride, length, next}; }
    Rows as_rows() const { return {count, stride, length}; }
    /// Where constants and sums by channel are wanted: 1 for planes.
    int64_t channels() const { return rows ? length : 1; }
    int64_t channel_of(int64_t element) const { return rows ? element % length : 0; }
    uint64_t seed() const { return static_cast<uint64_t>((count * 8191 + stride) * 8191 + length); }
};
std::ostream& operator<<(std::ostream& out, const KernelCase& piece);

/// The case's input number `index`, run after run without the gaps.
std::vector<float> inputs(const KernelCase& piece, int index);

/// `values` at the case's stride. The elements between runs are NaN: whoever reads them cannot hide it.
Guarded<float> strided(const KernelCase& piece, const std::vector<float>& values, Flush flush, int64_t gap = 0);

/// The elements of the runs, and whether all others are what they were.
std::vector<float> gathered(const KernelCase& piece, const float* data);
bool gaps_untouched(const KernelCase& piece, const float* data, const std::vector<float>& before);

/// Shapes around every boundary of vectors, groups and blocks, with ordinary input.
std::vector<KernelCase> shape_cases(bool rows);
/// Every fill, on some shapes.
std::vector<KernelCase> fill_cases(bool rows);
/// Alignments, store modes, in place, both ends of the buffer, and no runs at all: for kernels that write data.
std::vector<KernelCase> placement_cases(bool rows);

}  // namespace ni::test
