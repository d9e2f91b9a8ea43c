// What the tests of the kernels that write data share.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/kernel_suite.h"

namespace ni::test {

/// The output buffer of a case, which is one of its inputs if the case says so, and what is checked about it.
template <class E>
class OutputBuffer {
    using Data = typename E::Data;

public:
    /// The kernel has `inputs` inputs.
    OutputBuffer(const KernelCase& piece, int inputs)
        : piece_(piece), output_(make(piece, inputs)), before_(output_.copy()) {}

    Data* data() { return output_.data(); }

    Outcome outcome() const {
        EXPECT_TRUE(output_.surroundings_untouched());
        std::vector<Data> data;
        bool untouched = true;
        for (int64_t i = 0; i < piece_.extent(); ++i) {
            if (i % piece_.stride < piece_.length) {
                data.push_back(output_[i]);
            } else {
                untouched &= memcmp(&output_[i], &before_[static_cast<size_t>(i)], sizeof(Data)) == 0;
            }
        }
        EXPECT_TRUE(untouched) << "wrote between the runs";
        return {values<E>(data), {}, {}};
    }

private:
    static Guarded<Data> make(const KernelCase& piece, int inputs_of_kernel) {
        const int input = piece.in_place ? 0 : piece.in_second && inputs_of_kernel == 2 ? 1 : -1;
        if (input < 0) return Guarded<Data>(piece.extent(), piece.flush, piece.gap);
        return strided<E>(piece, inputs<E>(piece, input), piece.flush, piece.gap);
    }

    const KernelCase& piece_;
    Guarded<Data> output_;
    std::vector<Data> before_;
};

/// Calls exact(element, constants' index) -> Sum for every element and compares: `magnitude` of that has a term for
/// each rounding on the way to the result.
template <class E, class Exact>
void check_elements(const KernelCase& piece, const Outcome& outcome, Exact exact_of) {
    ASSERT_EQ(outcome.data.size(), static_cast<size_t>(piece.elements()));
    for (int64_t i = 0; i < piece.elements(); ++i) {
        const Sum exact = exact_of(i, piece.constants_of(i));
        const long double tiny = 4 * static_cast<long double>(std::numeric_limits<typename E::Constant>::denorm_min());
        ASSERT_TRUE(is_result<E>(outcome.data[i], exact.value, Type<E>::kRoundoff * exact.magnitude + tiny))
            << "element " << i << " is " << outcome.data[i] << ", expected " << exact.value;
    }
}

inline long double wide(double value) { return static_cast<long double>(value); }

}  // namespace ni::test
