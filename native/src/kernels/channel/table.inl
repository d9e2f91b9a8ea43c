// Gathers the kernel bodies of this translation unit into its table. A kernel of the list without a body does not
// compile.
#pragma once

#include "kernels/registry.h"

namespace {

constexpr ni::KernelTable make_table(const char* isa) {
    return {isa,
#define NI_ENTRY(name, parameters) &name,
            NI_CHANNEL_KERNELS(NI_ENTRY)
#undef NI_ENTRY
    };
}

}  // namespace
