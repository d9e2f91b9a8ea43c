#ifndef NORMINTEROP_MPI_STATUS_H
#define NORMINTEROP_MPI_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Outcome of a call. Every function of the library returns one, save those that only report a fact.
typedef enum ni_mpi_status {
    /// The call did what it says.
    NI_MPI_STATUS_OK = 0,
    /// A pointer that the call needs is null, or a value is outside its range; the message names it.
    NI_MPI_STATUS_INVALID_ARGUMENT = 1,
    /// MPI is not running: it was not started, or is finalized, or the calling thread may not use it.
    NI_MPI_STATUS_NOT_RUNNING = 2,
    /// A function of MPI failed; the message is MPI's.
    NI_MPI_STATUS_MPI_ERROR = 3,
    /// The time limit has passed, or another rank has reported a failure; who is to blame stands in `presence`. The
    /// group cannot be used any longer.
    NI_MPI_STATUS_FAULT = 4,
    /// Something that should have come about in time did not, and nobody can be named.
    NI_MPI_STATUS_TIMED_OUT = 5,
    /// Memory could not be had.
    NI_MPI_STATUS_OUT_OF_MEMORY = 6,
    /// A defect of the library: please report it with the message.
    NI_MPI_STATUS_INTERNAL_ERROR = 7
} ni_mpi_status;

/// Explains the last call on this thread that did not return NI_MPI_STATUS_OK.
/// The text is UTF-8, never null, and valid until the next call of the library on this thread.
const char* ni_mpi_last_error_message(void);

#ifdef __cplusplus
}
#endif

#endif
