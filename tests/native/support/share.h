// How much of a long test an emulated processor takes.
#pragma once

#include <cstddef>
#include <vector>

namespace ni::test {

/// Whether the case number `index` is to be taken. Always, but where the tests run on an emulated processor
/// (NORMINTEROP_EMULATED_TESTS, CMake), which takes minutes for what others do in seconds, and has long double in
/// software: one of every four, then. Tests of one kind (the data types, the kinds of input, the passes) take different
/// turns, so that together they leave no case out.
constexpr bool is_taken([[maybe_unused]] size_t index, [[maybe_unused]] size_t turn) {
#if NI_EMULATED_TESTS
    // Not always the same of four, because cases come from nested loops.
    return (index + index / 4 + index / 16) % 4 == turn % 4;
#else
    return true;
#endif
}

/// The cases that are to be taken.
template <class T>
std::vector<T> share(const std::vector<T>& cases, size_t turn) {
    std::vector<T> taken;
    for (size_t i = 0; i < cases.size(); ++i)
        if (is_taken(i, turn)) taken.push_back(cases[i]);
    return taken;
}

}  // namespace ni::test
