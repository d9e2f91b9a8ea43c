// How every function of the C API runs: validate, compute, and let nothing but a status out.
#pragma once

#include <new>

#include "norminterop/status.h"
#include "parallel/float_mode.h"

namespace ni::api {

/// Sets the message of this thread, printf style, and returns `status`.
__attribute__((format(printf, 2, 3))) ni_status fail(ni_status status, const char* format, ...);

/// Runs body(), which returns an ni_status, and turns every exception into one.
template <class Body>
ni_status guarded(Body body) noexcept {
    try {
        const parallel::DefaultFloatMode mode;
        return body();
    } catch (const std::bad_alloc&) {
        return fail(NI_STATUS_OUT_OF_MEMORY, "working memory could not be allocated");
    } catch (...) {
        return fail(NI_STATUS_INTERNAL_ERROR, "unexpected exception");
    }
}

}  // namespace ni::api

/// Returns from the enclosing function unless `expression` is NI_STATUS_OK.
#define NI_RETURN_IF_FAILED(expression)                  \
    do {                                                 \
        const ni_status ni_result = (expression);        \
        if (ni_result != NI_STATUS_OK) return ni_result; \
    } while (false)
