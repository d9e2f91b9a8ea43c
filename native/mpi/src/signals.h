// The handlers of signals that a program had before MPI came.
#pragma once

#if defined(_WIN32)

namespace ni::mpi {

/// Nothing to keep: Windows has no handlers of signals that MPI would replace.
struct SignalHandlers {
    SignalHandlers() {}
};

}  // namespace ni::mpi

#else

#include <signal.h>

namespace ni::mpi {

/// Notes all handlers and puts them back at its end. MPI installs its own for crashes; but a managed runtime makes an
/// exception of a fault at address 0, and is the parent of processes.
class SignalHandlers {
public:
    SignalHandlers() {
        for (int number = 1; number <= kLast; ++number)
            known_[number] = sigaction(number, nullptr, &before_[number]) == 0;
    }
    ~SignalHandlers() {
        for (int number = 1; number <= kLast; ++number) {
            if (known_[number] && has_handler(before_[number])) sigaction(number, &before_[number], nullptr);
        }
    }
    SignalHandlers(const SignalHandlers&) = delete;
    SignalHandlers& operator=(const SignalHandlers&) = delete;

private:
    static constexpr int kLast = 31;  // the classic signals

    /// Where the program had none, MPI's is welcome.
    static bool has_handler(const struct sigaction& action) {
        return (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL;
    }

    struct sigaction before_[kLast + 1];
    bool known_[kLast + 1];
};

}  // namespace ni::mpi

#endif
