// What ranks tell each other beside the data.
#pragma once

#include <stdint.h>
#include <string.h>

#include <vector>

namespace ni::mpi {

enum class NoticeKind : uint32_t {
    kWhoIsHere = 1,  ///< asks for an answer; sequence: of the asker's operation
    kHere = 2,       ///< the answer, with the sequence of the question
    kLeft = 3,       ///< the sender takes no part from this operation on
    kFailed = 4,     ///< an operation has failed; presence: of every rank
};

struct Notice {
    NoticeKind kind;
    uint64_t sequence;
    std::vector<uint8_t> presence;

    std::vector<uint8_t> pack() const {
        std::vector<uint8_t> bytes(kHeadBytes + presence.size());
        const auto number = static_cast<uint64_t>(kind);
        memcpy(bytes.data(), &number, sizeof number);
        memcpy(bytes.data() + sizeof number, &sequence, sizeof sequence);
        if (!presence.empty()) memcpy(bytes.data() + kHeadBytes, presence.data(), presence.size());
        return bytes;
    }

    /// Of at least kHeadBytes bytes.
    static Notice unpack(const std::vector<uint8_t>& bytes) {
        uint64_t number, sequence;
        memcpy(&number, bytes.data(), sizeof number);
        memcpy(&sequence, bytes.data() + sizeof number, sizeof sequence);
        return {static_cast<NoticeKind>(number), sequence, {bytes.begin() + kHeadBytes, bytes.end()}};
    }

    static constexpr int kHeadBytes = 2 * sizeof(uint64_t);
};

}  // namespace ni::mpi
