#include "api/call.h"

#include <stdarg.h>
#include <stdio.h>

namespace ni::api {
namespace {

thread_local char message[512] = "no error";

}  // namespace

ni_status fail(ni_status status, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return status;
}

}  // namespace ni::api

const char* ni_last_error_message(void) { return ni::api::message; }
