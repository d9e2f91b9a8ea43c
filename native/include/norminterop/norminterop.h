#ifndef NORMINTEROP_NORMINTEROP_H
#define NORMINTEROP_NORMINTEROP_H

// The C interface of NormInterop: normalization layers of deep learning, forward and backward.
//
// Every function validates its arguments and writes nothing when it refuses them. Functions may be called from any
// number of threads at once. Sums, and so results, depend on the input alone: not on the number of threads, and not on
// the instruction set.

#include "norminterop/activation.h"
#include "norminterop/batchnorm.h"
#include "norminterop/channel.h"
#include "norminterop/group.h"
#include "norminterop/row.h"
#include "norminterop/runtime.h"
#include "norminterop/status.h"
#include "norminterop/types.h"

#endif
