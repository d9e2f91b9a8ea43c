// The process's handlers of the signals for faults, across the loading of libraries that bring their own.
#include "norminterop/runtime.h"

#if defined(_WIN32)

// Windows has no handlers that a library would replace.
ni_status ni_save_fault_handlers(void) { return NI_STATUS_OK; }

ni_status ni_restore_fault_handlers(void) { return NI_STATUS_OK; }

#else

#include <signal.h>

#include <iterator>
#include <mutex>

namespace {

constexpr int kFaults[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP, SIGABRT};

struct Saved {
    std::mutex gate;
    bool known[std::size(kFaults)];
    struct sigaction actions[std::size(kFaults)];
};

Saved& saved() {
    static Saved instance;
    return instance;
}

/// Where the program has none, another one is welcome.
bool is_handler(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL;
}

}  // namespace

ni_status ni_save_fault_handlers(void) {
    Saved& s = saved();
    const std::lock_guard<std::mutex> lock(s.gate);
    for (size_t i = 0; i < std::size(kFaults); ++i) {
        s.known[i] = sigaction(kFaults[i], nullptr, &s.actions[i]) == 0 && is_handler(s.actions[i]);
    }
    return NI_STATUS_OK;
}

ni_status ni_restore_fault_handlers(void) {
    Saved& s = saved();
    const std::lock_guard<std::mutex> lock(s.gate);
    for (size_t i = 0; i < std::size(kFaults); ++i) {
        if (s.known[i]) sigaction(kFaults[i], &s.actions[i], nullptr);
    }
    return NI_STATUS_OK;
}

#endif
