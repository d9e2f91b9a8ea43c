// How a call ends that cannot do what it says.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "norminterop_mpi/group.h"
#include "norminterop_mpi/status.h"

namespace ni::mpi {

/// A failure with a status and a message, which the C API hands out.
struct Failure {
    ni_mpi_status status;
    std::string message;
};

/// A failure of an operation that ranks are to blame for. It ends its group.
struct Fault {
    std::vector<uint8_t> presence;  ///< an ni_mpi_presence for each rank
    int finder;                     ///< the rank that reported it
    std::string message;
};

/// Throws what MPI says about an error code, unless it is none.
void check(int code, const char* function);

}  // namespace ni::mpi
