#include "group.h"

#include <string.h>

#include <algorithm>
#include <new>

namespace ni::mpi {
namespace {

// A message is a head and frames: the length of a block, and the block, filled up to whole words.
struct Head {
    uint64_t sequence;
    uint32_t round, count;
};
constexpr int64_t kWord = 8;
static_assert(sizeof(Head) % kWord == 0);

constexpr uint32_t kExchangeRound = 1U << 31;

constexpr int64_t padded(int64_t bytes) { return (bytes + kWord - 1) / kWord * kWord; }

size_t rounds_of(int size) {
    size_t rounds = 0;
    for (int distance = 1; distance < size; distance *= 2) ++rounds;
    return rounds;
}

}  // namespace

Group::Group(MPI_Comm communicator, std::vector<int> members, int rank, int channel)
    : communicator_(communicator),
      members_(std::move(members)),
      rank_(rank),
      data_tag_(2 * channel),
      notice_tag_(2 * channel + 1),
      blocks_(members_.size()),
      incoming_(std::max(members_.size(), rounds_of(size()))),
      outgoing_(incoming_.size()),
      answered_(members_.size()),
      absent_from_(members_.size(), UINT64_MAX) {
    const Turn turn;
    int processes = 0;
    check(MPI_Comm_size(communicator_, &processes), "MPI_Comm_size");
    ranks_.assign(static_cast<size_t>(processes), -1);
    for (int i = 0; i < size(); ++i) ranks_[static_cast<size_t>(member(i))] = i;
}

/// Runs body(operation) as the next operation, of this rank's bytes in own_.
template <class Body>
void Group::operate(double seconds, bool everybody_came, Body body) {
    if (!worker_) return carry_out(seconds, everybody_came, body);
    const auto job = [this, seconds, everybody_came, body] { carry_out(seconds, everybody_came, body); };
    if (!worker_->run(job, after(seconds + kGrace))) lose();
}

/// Whatever ends an operation early, ends the group.
template <class Body>
void Group::carry_out(double seconds, bool everybody_came, Body body) {
    {
        const Turn turn;
        ++sequence_;
        operating_ = true;
        std::fill(answered_.begin(), answered_.end(), false);
    }
    std::fill(blocks_.begin(), blocks_.end(), Block{});
    // The others are asked when a quarter of the limit is left, but not much earlier than an answer takes.
    Operation operation{after(seconds - std::min(seconds / 4, 10.0)), after(seconds), false, everybody_came};
    try {
        body(operation);
        operating_ = false;
    } catch (const Fault&) {
        operating_ = false;
        throw;
    } catch (const std::bad_alloc&) {
        end_alone("it ran out of memory");
    } catch (const Failure& failure) {
        end_alone(failure.message);
    }
}

void Group::gather(const uint8_t* block, int64_t bytes, double seconds) {
    start(block, bytes);
    operate(seconds, false, [this, bytes](Operation& operation) {
        blocks_[static_cast<size_t>(rank_)] = {own_.data(), bytes};
        uint32_t round = 0;
        for (int distance = 1; distance < size(); distance *= 2, ++round) {
            // So many blocks are here, this rank's and those of the ranks after it. The rank at the distance has those
            // that follow; the rank at the distance before lacks these.
            const int count = std::min(distance, size() - distance);
            const int source = rank_after(distance);
            send(round, rank_after(size() - distance), rank_, count, outgoing_[round]);
            receive(operation, round, source, source, count, incoming_[round]);
        }
        finish_sends(operation);
    });
}

void Group::exchange(const uint8_t* data, const int64_t* bounds, double seconds) {
    start(data, bounds[size()]);
    operate(seconds, true, [this, at = std::vector<int64_t>(bounds, bounds + size() + 1)](Operation& operation) {
        const auto part = [&](int r) {
            const auto i = static_cast<size_t>(r);
            return Block{own_.data() + at[i], at[i + 1] - at[i]};
        };
        for (int distance = 1; distance < size(); ++distance) {
            const int to = rank_after(distance);
            blocks_[static_cast<size_t>(to)] = part(to);
            send(kExchangeRound, to, to, 1, outgoing_[static_cast<size_t>(to)]);
            blocks_[static_cast<size_t>(to)] = {};
        }
        blocks_[static_cast<size_t>(rank_)] = part(rank_);
        for (int distance = 1; distance < size(); ++distance) {
            // In this order, so that not all ranks wait for the same one.
            const int source = rank_after(size() - distance);
            receive(operation, kExchangeRound, source, source, 1, incoming_[static_cast<size_t>(source)]);
        }
        finish_sends(operation);
    });
}

/// Keeps what this rank brings: an operation that is left behind must not touch the caller's memory.
void Group::start(const uint8_t* data, int64_t bytes) {
    if (lost_) throw Fault(*lost_);
    {
        const Turn turn;
        if (fault_) throw Fault(*fault_);
    }
    uint8_t* const own = own_.resize(static_cast<size_t>(std::max<int64_t>(bytes, 1)));
    if (bytes > 0) memcpy(own, data, static_cast<size_t>(bytes));
}

void Group::find_hosts(double seconds) {
    char name[MPI_MAX_PROCESSOR_NAME + 1] = {};
    int length = 0;
    {
        const Turn turn;
        check(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
    }
    gather(reinterpret_cast<const uint8_t*>(name), length, seconds);
    std::vector<std::string> hosts;
    for (const Block& b : blocks_)
        hosts.emplace_back(reinterpret_cast<const char*>(b.data), static_cast<size_t>(b.bytes));
    set_hosts(std::move(hosts));
}

void Group::take_hosts(const Group& whole, const int32_t* ranks) {
    std::vector<std::string> hosts;
    for (int i = 0; i < size(); ++i) hosts.push_back(whole.hosts_[static_cast<size_t>(ranks[i])]);
    set_hosts(std::move(hosts));
}

/// Messages within a host go through memory, where no call of MPI waits; between hosts, see Worker.
void Group::set_hosts(std::vector<std::string> hosts) {
    hosts_ = std::move(hosts);
    const bool several =
        std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& host) { return host != hosts_[0]; });
    if (several) worker_ = std::make_unique<Worker>();
}

/// Sends the blocks of `count` ranks from `first` on, around the circle.
void Group::send(uint32_t round, int destination, int first, int count, Bytes& buffer) {
    const auto at = [&](int i) { return blocks_[static_cast<size_t>((first + i) % size())]; };
    int64_t bytes = sizeof(Head);
    for (int i = 0; i < count; ++i) bytes += kWord + padded(at(i).bytes);
    uint8_t* out = buffer.resize(static_cast<size_t>(bytes));
    const Head head{sequence_, round, static_cast<uint32_t>(count)};
    memcpy(out, &head, sizeof head);
    out += sizeof head;
    for (int i = 0; i < count; ++i) {
        const Block block = at(i);
        memcpy(out, &block.bytes, sizeof block.bytes);
        if (block.bytes > 0) memcpy(out + kWord, block.data, static_cast<size_t>(block.bytes));
        memset(out + kWord + block.bytes, 0, static_cast<size_t>(padded(block.bytes) - block.bytes));
        out += kWord + padded(block.bytes);
    }
    const Turn turn;
    partner_ = destination;
    MPI_Request request = MPI_REQUEST_NULL;
    try {
        check(MPI_Isend(buffer.data(), static_cast<int>(bytes), MPI_BYTE, member(destination), data_tag_, communicator_,
                        &request),
              "MPI_Isend");
    } catch (const Failure& failure) {
        blame(turn, destination, NI_MPI_PRESENCE_SILENT, failure.message);
    }
    sends_.push_back({request, destination});
}

/// Waits for the blocks of `count` ranks from `first` on.
void Group::receive(Operation& operation, uint32_t round, int source, int first, int count, Bytes& buffer) {
    bool matched = false;
    wait(operation, source, [&] {
        if (!matched) {
            int there = 0, bytes = 0;
            MPI_Message message;
            MPI_Status status;
            check(MPI_Improbe(member(source), data_tag_, communicator_, &there, &message, &status), "MPI_Improbe");
            if (!there) return false;
            matched = true;
            check(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
            buffer.resize(static_cast<size_t>(bytes));
            check(MPI_Imrecv(buffer.data(), bytes, MPI_BYTE, &message, &receiving_), "MPI_Imrecv");
        }
        int done = 0;
        check(MPI_Test(&receiving_, &done, MPI_STATUS_IGNORE), "MPI_Test");
        return done != 0;
    });
    unpack(buffer, round, source, first, count);
}

void Group::refuse(int source) {
    blame(Turn(), source, NI_MPI_PRESENCE_SILENT, "it sent a message that does not belong to the operation");
}

/// Reads what a message says of itself; none of it is believed before it is checked.
void Group::unpack(const Bytes& buffer, uint32_t round, int source, int first, int count) {
    Head head;
    if (buffer.size() < sizeof head) refuse(source);
    memcpy(&head, buffer.data(), sizeof head);
    if (head.sequence != sequence_ || head.round != round || head.count != static_cast<uint32_t>(count)) refuse(source);
    const uint8_t* in = buffer.data() + sizeof head;
    auto left = static_cast<int64_t>(buffer.size() - sizeof head);
    for (int i = 0; i < count; ++i) {
        int64_t bytes = 0;
        if (left < kWord) refuse(source);
        memcpy(&bytes, in, sizeof bytes);
        left -= kWord;
        if (bytes < 0 || bytes > left || padded(bytes) > left) refuse(source);
        blocks_[static_cast<size_t>((first + i) % size())] = {in + kWord, bytes};
        in += kWord + padded(bytes);
        left -= padded(bytes);
    }
    if (left != 0) refuse(source);
}

/// Waits until MPI has taken what was sent: then its memory is free for the next operation.
void Group::finish_sends(Operation& operation) {
    while (!sends_.empty()) {
        wait(operation, sends_.back().destination, [&] {
            int done = 0;
            check(MPI_Test(&sends_.back().request, &done, MPI_STATUS_IGNORE), "MPI_Test");
            return done != 0;
        });
        sends_.pop_back();
    }
}

/// Waits until ready(), which is asked during turns. The rank `partner` is the one that this waits for.
template <class Ready>
void Group::wait(Operation& operation, int partner, Ready ready) {
    partner_ = partner;
    Backoff backoff;
    for (;;) {
        {
            const Turn turn;
            try {
                if (ready()) return;
            } catch (const Failure& failure) {
                blame(turn, partner, NI_MPI_PRESENCE_SILENT, failure.message);
            }
            listen(turn);
            if (leaving_) say_farewell(turn);
            const Clock::time_point now = Clock::now();
            if (now >= operation.deadline) give_up(turn, operation, partner);
            if (!operation.asked && now >= operation.ask_at) {
                operation.asked = true;
                tell_all(turn, {NoticeKind::kWhoIsHere, sequence_, {}});
            }
        }
        backoff.pause();
    }
}

}  // namespace ni::mpi
