// Layers in long double, straight from their formulas.
#pragma once

#include <vector>

#include "layers/layer_case.h"

namespace ni::test {

/// A value and what errors are measured against: the magnitude of its terms, which may cancel.
struct Term {
    long double value = 0, magnitude = 0;
};

struct LayerExact {
    std::vector<long double> mean, var, invstd;  ///< by set
    std::vector<Term> y, dx;                     ///< by element
    std::vector<Term> dweight, dbias;            ///< by parameter
    std::vector<Term> running_mean, running_var;
};

template <class E>
LayerExact exact_layer(const LayerCase& layer, const LayerInputs<E>& in);

/// Compares all results of a layer with the oracle: the data of 16 bits with the correctly rounded number or its
/// neighbour, all else with some roundings of its terms.
template <class E>
void expect_exact(const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>& got);

}  // namespace ni::test
