#ifndef NORMINTEROP_MPI_GROUP_H
#define NORMINTEROP_MPI_GROUP_H

#include <stdint.h>

#include "norminterop_mpi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A group is a number, not a pointer: one that is closed, or never was, is refused. Its functions are for one thread
/// at a time; different groups may be used by different threads at once.
///
/// The operations of a group are collective: every rank calls the same ones in the same order. Each has a time limit.
/// A rank that has waited in vain asks the others whether they wait as well; who does not answer is missing, and that
/// is told to everybody, so that all fail with the same finding. From then on every operation of the group fails with
/// it.

/// Where a rank was when an operation failed.
typedef enum ni_mpi_presence {
    /// It took part.
    NI_MPI_PRESENCE_PRESENT = 0,
    /// It did not come to the operation.
    NI_MPI_PRESENCE_MISSING = 1,
    /// It came, but answers no longer.
    NI_MPI_PRESENCE_SILENT = 2,
    /// It has closed the group.
    NI_MPI_PRESENCE_LEFT = 3,
    /// It takes part, but what it has to send has not come: the connection is too slow for the limit.
    NI_MPI_PRESENCE_SLOW = 4
} ni_mpi_presence;

/// The group of all processes of the job, in MPI's order. Collective over all of them.
/// seconds: time limit, above 0, at most 1e9. group: out.
/// Errors: NI_MPI_STATUS_TIMED_OUT if the others do not come.
ni_mpi_status ni_mpi_open_world(double seconds, int32_t* group);

/// A group of some ranks of another. Not collective: all that its members must agree on is in the arguments.
/// parent: a group. ranks: `size` ranks of the parent, each once, this one among them: rank i of the new group is
/// ranks[i]. channel: what keeps the group's messages apart from those of others: a number above 0 that no other
/// group of any of its members has, at most what ni_mpi_channel_limit says. group: out.
ni_mpi_status ni_mpi_open_part(int32_t parent, const int32_t* ranks, int32_t size, int32_t channel, int32_t* group);

/// The largest number that ni_mpi_open_part takes for a channel. limit: out.
ni_mpi_status ni_mpi_channel_limit(int32_t* limit);

/// This process's rank in a group and the group's size. rank, size: out.
ni_mpi_status ni_mpi_describe(int32_t group, int32_t* rank, int32_t* size);

/// Brings every rank's block to every rank. Blocks may be of different lengths; ni_mpi_block has them afterwards.
/// block: `bytes` bytes, at most 2^30 divided by the size of the group. seconds: time limit, above 0, at most 1e9.
/// presence: out, an ni_mpi_presence for each rank, written where the outcome is NI_MPI_STATUS_FAULT.
/// finder: out, the rank that reported the failure; written likewise.
ni_mpi_status ni_mpi_gather(int32_t group, const uint8_t* block, int64_t bytes, double seconds, uint8_t* presence,
                            int32_t* finder);

/// Brings part r of every rank's data to rank r. All ranks cut their data at the same places.
/// data: bounds[size] bytes, at most 2^30; part r begins at bounds[r] and ends at bounds[r + 1], and bounds[0] is 0.
/// The ranks have just agreed on it by an ni_mpi_gather. Others as in ni_mpi_gather.
ni_mpi_status ni_mpi_exchange(int32_t group, const uint8_t* data, const int64_t* bounds, double seconds,
                              uint8_t* presence, int32_t* finder);

/// What the last operation of a group has brought from a rank: valid until its next one.
/// block, bytes: out.
ni_mpi_status ni_mpi_block(int32_t group, int32_t rank, const uint8_t** block, int64_t* bytes);

/// Tells the other ranks that this one takes part no longer, and frees the group. Not collective.
ni_mpi_status ni_mpi_close(int32_t group);

#ifdef __cplusplus
}
#endif

#endif
