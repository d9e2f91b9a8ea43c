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

/// Starts MPI, or joins the one that the program has initialized. Later calls do nothing. MPI may install handlers
/// of signals, and so may the loading of this library, which loads MPI: see ni_save_fault_handlers of the main library.
/// seconds: how long to wait for the other processes, more than 0 and at most 1e9: MPI starts in all of them together.
/// Errors: NI_MPI_STATUS_NOT_RUNNING if MPI is finalized already: it cannot be started twice in a process.
/// NI_MPI_STATUS_TIMED_OUT if processes are missing; later calls fail likewise.
ni_mpi_status ni_mpi_start(double seconds);

/// Closes all groups, waits until all other processes have closed theirs, and finalizes MPI, once. Does nothing where
/// the program itself has initialized MPI: then it is the one to finalize it.
/// seconds: how long to wait, 0 to 1e9. Errors: NI_MPI_STATUS_TIMED_OUT if processes are missing, or MPI has not come
/// to an end: the process should end without it.
ni_mpi_status ni_mpi_finish(double seconds);

#ifdef __cplusplus
}
#endif

#endif
