#ifndef NORMINTEROP_STATUS_H
#define NORMINTEROP_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Outcome of a call. Every function of the library returns one, save those that only report a fact.
typedef enum ni_status {
    /// The call did what it says.
    NI_STATUS_OK = 0,
    /// A pointer that the call needs is null.
    NI_STATUS_NULL_POINTER = 1,
    /// A value is outside its range; the message names the value and the range.
    NI_STATUS_INVALID_ARGUMENT = 2,
    /// The tensor's size in bytes does not fit in 63 bits.
    NI_STATUS_SIZE_OVERFLOW = 3,
    /// An output overlaps another buffer other than by being exactly the same buffer.
    NI_STATUS_ALIASED_BUFFERS = 4,
    /// The library has no kernel for this data type.
    NI_STATUS_UNSUPPORTED_DATA_TYPE = 5,
    /// The instruction set asked for through NORMINTEROP_ISA is unknown, or this CPU lacks it.
    NI_STATUS_UNSUPPORTED_ISA = 6,
    /// Working memory could not be had. Nothing was written.
    NI_STATUS_OUT_OF_MEMORY = 7,
    /// A defect of the library: please report it with the message.
    NI_STATUS_INTERNAL_ERROR = 8
} ni_status;

/// Explains the last call on this thread that did not return NI_STATUS_OK.
/// The text is UTF-8, never null, and valid until the next call of the library on this thread.
const char* ni_last_error_message(void);

#ifdef __cplusplus
}
#endif

#endif
