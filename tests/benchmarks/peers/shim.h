#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "peer.h"

// The parts of peer.h that are the same for every peer: what is thrown becomes a status and a text.

namespace peer {

/// Thrown where the library behind the peer has nothing for a case.
class Unsupported : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline std::string& last_error() {
    static std::string text;
    return text;
}

/// Runs `body`; keeps the message of what it throws.
template <typename Body>
int32_t guarded(Body body) {
    try {
        body();
        return PEER_OK;
    } catch (const Unsupported& error) {
        last_error() = error.what();
        return PEER_UNSUPPORTED;
    } catch (const std::exception& error) {
        last_error() = error.what();
    } catch (...) {
        last_error() = "unknown error";
    }
    return PEER_FAILED;
}

inline bool is_rows(const peer_case& description) {
    return description.family == PEER_LAYER_NORM || description.family == PEER_RMS_NORM;
}

inline bool is_backward(const peer_case& description) {
    return description.pass == PEER_BACKWARD || description.pass == PEER_INFERENCE_BACKWARD;
}

/// Whether statistics come from the running buffers.
inline bool uses_running(const peer_case& description) {
    return description.pass == PEER_INFERENCE || description.pass == PEER_INFERENCE_BACKWARD;
}

/// Product of the lengths from `first` to before `last`.
inline int64_t product(const peer_case& description, int32_t first, int32_t last) {
    int64_t result = 1;
    for (int32_t i = first; i < last; ++i) result *= description.lengths[i];
    return result;
}

/// Elements of the weight.
inline int64_t parameters(const peer_case& description) {
    return description.lengths[is_rows(description) ? description.rank - 1 : 1];
}

}  // namespace peer
