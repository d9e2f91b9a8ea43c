#ifndef NORMINTEROP_RUNTIME_H
#define NORMINTEROP_RUNTIME_H

#include <stdint.h>

#include "norminterop/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What the headers promise, as compiled into the library: a binding compares it with what it was generated from.
typedef struct ni_abi_info {
    /// In: sizeof(ni_abi_info) as the caller knows it.
    uint32_t struct_size;
    /// The value of ni_abi_version().
    uint32_t abi_version;
    /// sizeof(ni_channel_shape).
    uint32_t channel_shape_size;
    /// sizeof(ni_group_shape).
    uint32_t group_shape_size;
    /// sizeof(ni_row_shape).
    uint32_t row_shape_size;
    /// Number of values of ni_status.
    uint32_t status_count;
    /// Number of values of ni_data_type.
    uint32_t data_type_count;
    /// Number of values of ni_layout.
    uint32_t layout_count;
    /// Number of values of ni_gradient_mode.
    uint32_t gradient_mode_count;
    /// Number of values of ni_activation.
    uint32_t activation_count;
    /// sizeof(void*).
    uint32_t pointer_size;
} ni_abi_info;

/// Version of the binary interface. It grows with every change that an old caller would not survive.
uint32_t ni_abi_version(void);

/// Fills `info` with the sizes and counts that this library was compiled with.
/// Errors: null `info`; a struct_size other than the library's.
ni_status ni_get_abi_info(ni_abi_info* info);

/// Version, compiler and instruction sets of this build, as one line of text. Never null.
const char* ni_build_info(void);

/// Name of the instruction set in use: "scalar", "avx2", "avx512" or "neon". The best one the CPU and the operating
/// system support, unless the environment variable NORMINTEROP_ISA names another; read once, at the first call that
/// needs it.
/// Errors: NI_STATUS_UNSUPPORTED_ISA when NORMINTEROP_ISA names one that is unknown or that this CPU lacks.
ni_status ni_active_isa(const char** name);

/// Sets how many threads a call may use, for the whole process. 0 restores the default: the processors this
/// process may run on, or OMP_NUM_THREADS. Results do not depend on it. Errors: a negative limit, or one above 1024.
ni_status ni_set_thread_limit(int32_t limit);

/// The number of threads that a call may use at most.
int32_t ni_thread_limit(void);

/// Notes the process's handlers of SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP and SIGABRT, for ni_restore_fault_handlers.
/// A managed runtime makes exceptions of some of these signals; MPI, and what it is built on, install handlers of their
/// own, some when their library is loaded, to which the same faults are crashes. Does nothing on Windows.
ni_status ni_save_fault_handlers(void);

/// Puts back the handlers that the last ni_save_fault_handlers has noted. Where there was none, one that has come since
/// stays.
ni_status ni_restore_fault_handlers(void);

#ifdef __cplusplus
}
#endif

#endif
