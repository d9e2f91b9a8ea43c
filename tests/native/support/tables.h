// The kernel tables that this machine can run.
#pragma once

#include <string>
#include <vector>

#include "dispatch/dispatch.h"

namespace ni::test {

inline std::vector<const KernelTable*> supported_tables() {
    std::vector<const KernelTable*> tables;
    for (const auto& candidate : dispatch::candidates()) {
        if (candidate.supported) tables.push_back(candidate.kernels);
    }
    return tables;
}

}  // namespace ni::test
