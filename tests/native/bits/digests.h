// Checksums of everything that the layers compute from a fixed set of inputs, which are made with integers alone.
#pragma once

#include <string>
#include <vector>

#include "kernels/registry.h"

namespace ni::test {

/// A line of text for each tensor, layer, data type and kind of numbers, computed with these kernels. One that came out
/// with a NaN, whose bits nothing promises, or that depends on the number of threads says so, which no expected line
/// does.
std::vector<std::string> digests(const KernelTable& table);

}  // namespace ni::test
