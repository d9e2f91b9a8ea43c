#ifndef NORMINTEROP_MPI_PROCESS_H
#define NORMINTEROP_MPI_PROCESS_H

#include <stdint.h>

#include "norminterop_mpi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Version of the binary interface. It grows with every change that an old caller would not survive.
uint32_t ni_mpi_abi_version(void);

/// Name and version of the MPI that the library runs on, as MPI itself gives them. Never null.
const char* ni_mpi_library_version(void);

/// Starts MPI, or joins the one that the program has initialized. Later calls do nothing. Handlers of signals that the
/// program had before are put back: MPI's own would take a managed runtime's faults for crashes.
/// Errors: NI_MPI_STATUS_NOT_RUNNING if MPI is finalized already: it cannot be started twice in a process.
ni_mpi_status ni_mpi_start(void);

/// Finalizes MPI if ni_mpi_start has initialized it, once; MPI waits for the other processes then, and this waits for
/// MPI at most so many seconds. It does not finalize an MPI that the program itself has initialized.
/// seconds: 0 to 1e9. Errors: NI_MPI_STATUS_TIMED_OUT if MPI has not come to an end: the process should end without it.
ni_mpi_status ni_mpi_finish(double seconds);

#ifdef __cplusplus
}
#endif

#endif
