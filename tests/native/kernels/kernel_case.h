// One call of a kernel: its piece, its inputs, and where its buffers lie.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <ostream>
#include <vector>

#include "kernels/registry.h"
#include "support/fill.h"
#include "support/guarded.h"

namespace ni::test {

/// What a kernel takes: planes of one channel; rows of channels; one run with parameters by element; rows with
/// constants by row, whose sums are by column.
enum class Form { kPlanes, kRows, kRun, kColumns };

/// Runs of `length` consecutive elements at equal distances.
struct KernelCase {
    Form form;
    int64_t count, stride, length;
    Fill fill = Fill::kNormal;
    Store store = Store::kCached;
    Flush flush = Flush::kEnd;
    int64_t gap = 0;         ///< elements between the output and the forbidden page: its alignment
    bool in_place = false;   ///< the output is the first input
    bool in_second = false;  ///< the output is the second input, where there are two
    int64_t next = 0;        ///< Planes::next: what may be fetched, which is not to be read
    int absent = 0;          ///< of a run: 1, no weight; 2, no bias
    bool all_alike = false;  ///< the second input has the fill of the first, though products leave the type's range

    int64_t extent() const { return count == 0 ? 0 : (count - 1) * stride + length; }
    int64_t elements() const { return count * length; }
    Planes planes() const { return {count, stride, length, next}; }
    Rows as_rows() const { return {count, stride, length}; }
    /// How many sums there are, and whose an element's is.
    int64_t sums() const { return by_column() ? length : 1; }
    int64_t sum_of(int64_t element) const { return by_column() ? element % length : 0; }
    /// How many sets of constants there are, and whose an element's is.
    int64_t constants() const { return form == Form::kColumns ? count : form == Form::kRows ? length : 1; }
    int64_t constants_of(int64_t element) const {
        return form == Form::kColumns ? element / length : form == Form::kRows ? element % length : 0;
    }
    uint64_t seed() const { return static_cast<uint64_t>((count * 8191 + stride) * 8191 + length); }

private:
    bool by_column() const { return form == Form::kRows || form == Form::kColumns; }
};
std::ostream& operator<<(std::ostream& out, const KernelCase& piece);

/// The case's input number `index`, run after run without the gaps.
template <class E>
std::vector<typename E::Data> inputs(const KernelCase& piece, int index) {
    // A product of two huge or two tiny numbers leaves the type's range by right, which few tests are about.
    const bool scaled = piece.fill == Fill::kDenormal || piece.fill == Fill::kSmall || piece.fill == Fill::kHuge ||
                        piece.fill == Fill::kLargest;
    const bool plain = index > 0 && scaled && !piece.all_alike;
    const uint64_t seed = piece.seed() + 1000003U * static_cast<uint64_t>(index);
    const int64_t head = piece.form == Form::kRows ? 8 * piece.length : 16;
    return filled_as<E>(plain ? Fill::kNormal : piece.fill, piece.elements(), seed, head);
}

/// A NaN of the type.
template <class E>
typename E::Data nan_of() {
    return Type<E>::of(std::numeric_limits<long double>::quiet_NaN());
}

/// `data` at the case's stride. The elements between runs are NaN: whoever reads them cannot hide it.
template <class E>
Guarded<typename E::Data> strided(const KernelCase& piece, const std::vector<typename E::Data>& data, Flush flush,
                                  int64_t gap = 0) {
    std::vector<typename E::Data> all(static_cast<size_t>(piece.extent()), nan_of<E>());
    for (int64_t i = 0; i < piece.count; ++i) {
        std::copy_n(data.begin() + i * piece.length, piece.length, all.begin() + i * piece.stride);
    }
    return Guarded<typename E::Data>(all, flush, gap);
}

/// Input number `index` in memory that can only be read, `gap` elements from the forbidden page.
template <class E>
Guarded<typename E::Data> input_buffer(const KernelCase& piece, int index, Flush flush, int64_t gap = 0) {
    Guarded<typename E::Data> buffer = strided<E>(piece, inputs<E>(piece, index), flush, gap);
    buffer.make_read_only();
    return buffer;
}

/// Values of one kind for every set of constants, standard normal plus an offset, times a scale; in read-only memory.
template <class E>
Guarded<typename E::Constant> constants(const KernelCase& piece, uint64_t kind, double offset = 0, double scale = 1) {
    const std::vector<double> values = normal_values(piece.constants(), piece.seed() + 100 + kind, offset, scale);
    Guarded<typename E::Constant> buffer(std::vector<typename E::Constant>(values.begin(), values.end()));
    buffer.make_read_only();
    return buffer;
}
/// Likewise for every element of a run.
template <class E>
Guarded<typename E::Parameter> parameters(const KernelCase& piece, uint64_t kind) {
    const std::vector<double> values = normal_values(piece.length, piece.seed() + 200 + kind);
    Guarded<typename E::Parameter> buffer(std::vector<typename E::Parameter>(values.begin(), values.end()), piece.flush,
                                          piece.gap);
    buffer.make_read_only();
    return buffer;
}
/// 10 times the mean of the data, nearly.
inline double offset_of(const KernelCase& piece) { return piece.fill == Fill::kOffset ? 1e5 : 0.0; }

/// Shapes around every boundary of vectors, groups and blocks, with ordinary input.
std::vector<KernelCase> shape_cases(Form form);
/// Every fill, on some shapes.
std::vector<KernelCase> fill_cases(Form form);
/// Alignments, store modes, in place, both ends of the buffer, and no elements at all.
std::vector<KernelCase> placement_cases(Form form);

}  // namespace ni::test
