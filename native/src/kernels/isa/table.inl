// Gathers the kernel bodies of this translation unit into its table. A kernel of the list without a body does not
// compile.
#pragma once

#include "kernels/activation/backward.inl"
#include "kernels/activation/forward.inl"
#include "kernels/channel/planes.inl"
#include "kernels/channel/rows.inl"
#include "kernels/registry.h"
#include "kernels/row/affine.inl"
#include "kernels/row/columns.inl"

namespace {

template <class E>
constexpr ni::Kernels<E> kKernels = {
#define NI_ENTRY(name, parameters) &name<E>,
    NI_KERNELS(NI_ENTRY)
#undef NI_ENTRY
};

constexpr ni::KernelTable make_table(const char* isa) {
    return {isa, &kKernels<ni::Float32>, &kKernels<ni::Float64>, &kKernels<ni::Float16>, &kKernels<ni::BFloat16>};
}

}  // namespace
