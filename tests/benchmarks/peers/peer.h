#ifndef NORMINTEROP_BENCHMARKS_PEER_H
#define NORMINTEROP_BENCHMARKS_PEER_H

#include <stdint.h>

// What the benchmark program asks of a peer: a library that is timed beside ours, behind these functions. Each peer is
// a shared library of its own with all of them, so that one whose package is missing is simply not there.
//
// Everything is called from one thread. The OpenMP threads behind the calls are those of the one libgomp that all
// share.

#ifdef __cplusplus
extern "C" {
#endif

/// Values of peer_case.family.
typedef enum peer_family {
    PEER_BATCH_NORM = 0,
    PEER_LAYER_NORM = 1,
    PEER_RMS_NORM = 2,
    PEER_GROUP_NORM = 3,
    PEER_INSTANCE_NORM = 4
} peer_family;

/// Values of peer_case.pass.
typedef enum peer_pass {
    /// Forward with statistics of the input. BatchNorm updates the running buffers.
    PEER_FORWARD = 0,
    /// Forward with the running buffers. BatchNorm only.
    PEER_INFERENCE = 1,
    /// Backward of PEER_FORWARD: gradients of input, weight and bias.
    PEER_BACKWARD = 2,
    /// Backward of PEER_INFERENCE: the same three. BatchNorm only.
    PEER_INFERENCE_BACKWARD = 3
} peer_pass;

/// Values of peer_case.layout.
typedef enum peer_layout { PEER_CONTIGUOUS = 0, PEER_CHANNELS_LAST = 1 } peer_layout;

/// Values of peer_case.data_type: the numbers of ni_data_type.
typedef enum peer_data_type { PEER_FLOAT32 = 0, PEER_FLOAT64 = 1, PEER_FLOAT16 = 2, PEER_BFLOAT16 = 3 } peer_data_type;

/// Results of the functions.
typedef enum peer_status {
    PEER_OK = 0,
    /// The peer has nothing for this case; peer_last_error() says why. No defect.
    PEER_UNSUPPORTED = 1,
    PEER_FAILED = 2
} peer_status;

/// Lengths of a tensor at most.
#define PEER_MAX_RANK 5

/// One case, and the buffers that all contestants share. Parameters are double for double data, and float otherwise.
typedef struct peer_case {
    int32_t family, pass, layout, data_type;
    /// Threads to compute with.
    int32_t threads;
    /// Number of lengths.
    int32_t rank;
    /// N, C and the spatial lengths; for LayerNorm and RMSNorm the last one is that of a row.
    int64_t lengths[PEER_MAX_RANK];
    /// Of GroupNorm.
    int64_t groups;
    double eps, momentum;
    /// Inputs: data.
    const void *x, *dy;
    /// Output: y or dx. Data.
    void* out;
    /// Inputs: parameters, of the channels or of the elements of a row.
    const void *weight, *bias;
    /// BatchNorm: updated by PEER_FORWARD, read by PEER_INFERENCE and its backward. Parameters, of the channels.
    void *running_mean, *running_var;
    /// Outputs of the backward passes: parameters. RMSNorm has no gradient of a bias.
    void *weight_gradient, *bias_gradient;
} peer_case;

#if defined(_WIN32)
#define PEER_API __declspec(dllexport)
#else
#define PEER_API __attribute__((visibility("default")))
#endif

/// Name and version of the library behind this peer. Never null.
PEER_API const char* peer_version(void);

/// Prepares a case: what a user would do once. The buffers must outlive the handle; their content may be read and, for
/// outputs and running buffers, written.
PEER_API int32_t peer_create(const peer_case* description, void** handle);

/// Runs the pass a number of times. Results lie in the shared buffers, or in memory of the peer where it insists on
/// that.
PEER_API int32_t peer_run(void* handle, int64_t calls);

/// Copies the results of the last run into the shared buffers, where they are not there already.
PEER_API int32_t peer_collect(void* handle);

/// What within the peer does the work, in its own words. Never null; valid as long as the handle.
PEER_API const char* peer_implementation(void* handle);

PEER_API void peer_destroy(void* handle);

/// Explains the last result other than PEER_OK. Never null; valid until the next call.
PEER_API const char* peer_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
