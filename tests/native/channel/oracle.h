// BatchNorm in long double, straight from its formulas: nested loops over samples, channels and positions.
#pragma once

#include <vector>

#include "channel/tensors.h"

namespace ni::test {

/// By channel: statistics, sums, and parameter gradients. By element: outputs and input gradients.
struct Exact {
    std::vector<long double> mean, var, unbiased, sum_dy, sum_dy_xmu, dweight;
    std::vector<long double> y, dx;
    /// By channel: the largest magnitude of any term of y and of dx. Terms may cancel, so this is what errors of
    /// rounding are measured against.
    std::vector<long double> y_terms, dx_terms;
};

/// Normalizes with the batch's statistics.
Exact exact_training(const TensorCase& shape, const BatchNormInputs& in);
/// Normalizes with the running buffers.
Exact exact_inference(const TensorCase& shape, const BatchNormInputs& in);

/// The largest distance of any element, and the largest magnitude of any.
double largest_error(const std::vector<float>& got, const std::vector<long double>& exact);
double largest_error(const std::vector<double>& got, const std::vector<long double>& exact);
/// The largest distance of any element, as a part of its channel's `terms`.
double largest_relative_error(const TensorCase& shape, const std::vector<float>& got,
                              const std::vector<long double>& exact, const std::vector<long double>& terms);
double largest(const std::vector<long double>& values);

}  // namespace ni::test
