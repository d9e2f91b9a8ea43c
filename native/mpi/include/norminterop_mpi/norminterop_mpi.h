#ifndef NORMINTEROP_MPI_H
#define NORMINTEROP_MPI_H

// Everything that brings bytes from process to process: a library of its own, so that the main one needs no MPI.
#include "norminterop_mpi/group.h"
#include "norminterop_mpi/process.h"
#include "norminterop_mpi/status.h"

#endif
