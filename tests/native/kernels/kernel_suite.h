// How a kernel is tested: a suite for each name of kKernelNames and each data type.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/kernel_case.h"
#include "kernels/registry.h"

namespace ni::test {

/// All that one call computed: data for kernels that map elements, sums for those that reduce.
struct Outcome {
    std::vector<double> data;
    std::vector<double> first, second;
};

struct KernelSuite {
    const char* kernel;
    Form form;
    bool writes;  ///< writes data, so that stores, alignment and place of the output matter
    /// Calls the kernel on buffers between forbidden pages and verifies what it may not touch.
    Outcome (*run)(const KernelTable& kernels, const KernelCase& piece);
    /// Compares an outcome with sums and products in long double.
    void (*check)(const KernelCase& piece, const Outcome& outcome);
};

/// A kernel's suites, in the order of kTypeNames.
using KernelSuites = std::array<KernelSuite, kTypeNames.size()>;

template <class E, template <class> class Body>
KernelSuite suite_of(const char* kernel, Form form, bool writes) {
    return {kernel, form, writes,
            [](const KernelTable& table, const KernelCase& piece) { return Body<E>::run(table.of(E()), piece); },
            &Body<E>::check};
}
/// The suites of a kernel from a template with run(kernels, piece) and check(piece, outcome).
template <template <class> class Body>
KernelSuites suites_of(const char* kernel, Form form, bool writes) {
    return {suite_of<Float32, Body>(kernel, form, writes), suite_of<Float64, Body>(kernel, form, writes),
            suite_of<Float16, Body>(kernel, form, writes), suite_of<BFloat16, Body>(kernel, form, writes)};
}

/// The suites of several kernels, as each file of suites offers them.
using SuiteList = std::vector<KernelSuites>;
SuiteList activate_suites();
SuiteList apply_suites();
SuiteList backward_apply_suites();
SuiteList backward_reduce_suites();
SuiteList columns_suites();
SuiteList gated_suites();
SuiteList moments_suites();

/// Whether a kernel takes its sums in float: of floats; of 16-bit numbers, those by column, and those of blocks of more
/// elements than count as few there.
template <class E>
bool sums_in_float(const KernelCase& piece) {
    constexpr int64_t kFew = 256;
    const bool large = piece.form != Form::kRows && piece.elements() / piece.sums() > kFew;
    return sizeof(typename E::Constant) == sizeof(float) || (kIs16Bit<E> && (large || piece.form == Form::kColumns));
}

/// Additions in float that a sum goes through at most, before double takes over: the rows of a block, or 16 groups of a
/// plane and the sum of two accumulators. Where there is no float, all of them.
template <class E>
int64_t additions(const KernelCase& piece) {
    const bool rows = piece.form == Form::kRows || piece.form == Form::kColumns;
    const int64_t in_block = rows ? kRowBlock : 16 + 1;
    return sums_in_float<E>(piece) ? in_block : in_block + piece.elements() / piece.sums() / (rows ? 1 : 16);
}

/// The largest relative error of one of these additions.
inline long double roundoff(bool in_float) { return in_float ? Type<Float32>::kRoundoff : Type<Float64>::kRoundoff; }

/// A sum in long double, and the sum of its terms' magnitudes, which bounds what rounding may do to it.
struct Sum {
    long double value = 0, magnitude = 0;
    void add(long double term) { add(term, std::abs(term)); }
    void add(long double term, long double of_magnitude) {
        value += term;
        magnitude += of_magnitude;
    }
};

/// Compares a sum of `terms` terms, each of which went through `roundings` roundings.
inline bool is_sum(double got, const Sum& exact, bool in_float, int64_t roundings, int64_t terms) {
    const double smallest =
        in_float ? std::numeric_limits<float>::denorm_min() : std::numeric_limits<double>::denorm_min();
    return is_result<Float64>(got, exact.value,
                              static_cast<long double>(roundings) * roundoff(in_float) * exact.magnitude +
                                  smallest * static_cast<long double>(terms));
}

/// A reduction by channel has room for whole vectors, and leaves what stands beyond the channels undefined.
inline int64_t room_for(int64_t channels) { return (channels + 15) / 16 * 16; }

}  // namespace ni::test
