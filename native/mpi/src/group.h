// A group of ranks, and what they bring each other.
//
// MPI has collective operations of its own, but leaves open what they do when ranks disagree about lengths or order,
// and lets nobody out of one that a dead rank keeps from ending. So messages here go from rank to rank, any length is
// legal, and whoever waits looks at a clock. The pattern of a gather is that of Bruck et al. 1997: ceil(log2 P) rounds.
#pragma once

#include <mpi.h>
#include <stdint.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "notice.h"
#include "process.h"
#include "worker.h"

namespace ni::mpi {

/// What came from a rank.
struct Block {
    const uint8_t* data = nullptr;
    int64_t bytes = 0;
};

/// Bytes that grow without being cleared first.
class Bytes {
public:
    uint8_t* resize(size_t size) {
        if (size > capacity_) {
            data_ = std::make_unique_for_overwrite<uint8_t[]>(size);
            capacity_ = size;
        }
        size_ = size;
        return data_.get();
    }
    uint8_t* data() const { return data_.get(); }
    size_t size() const { return size_; }

private:
    std::unique_ptr<uint8_t[]> data_;
    size_t capacity_ = 0, size_ = 0;
};

/// The functions of the same names in the C header. They throw Failure for what concerns this process alone, and Fault.
class Group {
public:
    /// members: the communicator's ranks, one for each rank of the group.
    Group(MPI_Comm communicator, std::vector<int> members, int rank, int channel);

    /// Finds out which ranks are on hosts of their own, by a gather. Where there are several hosts, operations run on a
    /// worker from then on.
    void find_hosts(double seconds);
    /// Takes from the group that this one is a part of, which of its ranks these are, and which are on what host.
    void take_hosts(const Group& whole, const int32_t* ranks);

    int rank() const { return rank_; }
    int size() const { return static_cast<int>(members_.size()); }
    MPI_Comm communicator() const { return communicator_; }
    int member(int rank) const { return members_[static_cast<size_t>(rank)]; }

    void gather(const uint8_t* block, int64_t bytes, double seconds);
    void exchange(const uint8_t* data, const int64_t* bounds, double seconds);
    Block block(int rank) const { return blocks_[static_cast<size_t>(rank)]; }

    /// Tells the others that this rank takes part no longer, once; whether that could be done.
    bool leave();

    /// Gives back the memory of messages, if MPI has no use for it.
    void release();

    /// Hears what the others say, and whether they have all left as well: then no message of the group is under way.
    bool everybody_left();

private:
    /// How much longer than its limit an operation may take before MPI itself must be the one that does not return.
    static constexpr double kGrace = 1;

    struct Send {
        MPI_Request request;
        int destination;
    };
    struct NoticeOnItsWay {
        MPI_Request request;
        std::vector<uint8_t> bytes;
    };
    /// An operation in progress.
    struct Operation {
        Clock::time_point ask_at, deadline;
        bool asked = false;
        bool everybody_came = false;  // known from an operation before, of which this is the second half
    };

    template <class Body>
    void operate(double seconds, bool everybody_came, Body body);
    template <class Body>
    void carry_out(double seconds, bool everybody_came, Body body);
    [[noreturn]] void lose();
    [[noreturn]] void end_alone(std::string message);
    [[noreturn]] void refuse(int source);
    Fault fault_of(int rank, ni_mpi_presence presence, std::string message) const;
    void say_farewell(const Turn& turn);
    void set_hosts(std::vector<std::string> hosts);
    void start(const uint8_t* data, int64_t bytes);
    template <class Ready>
    void wait(Operation& operation, int partner, Ready ready);
    void send(uint32_t round, int destination, int first, int count, Bytes& buffer);
    void receive(Operation& operation, uint32_t round, int source, int first, int count, Bytes& buffer);
    void unpack(const Bytes& buffer, uint32_t round, int source, int first, int count);
    void finish_sends(Operation& operation);
    int rank_after(int distance) const { return (rank_ + distance) % size(); }

    void listen(const Turn& turn);
    void hear_all(const Turn& turn);
    void hear(const Turn& turn, int source, const Notice& notice);
    void tell(const Turn& turn, int destination, const Notice& notice);
    void tell_all(const Turn& turn, const Notice& notice);
    void let_notices_out(const Turn& turn);
    [[noreturn]] void give_up(const Turn& turn, const Operation& operation, int partner);
    [[noreturn]] void blame(const Turn& turn, std::vector<uint8_t> presence, std::string message);
    [[noreturn]] void blame(const Turn& turn, int rank, ni_mpi_presence presence, std::string message);

    MPI_Comm communicator_;
    std::vector<int> members_;
    std::vector<int> ranks_;  // of the communicator's ranks; -1 for those that are not members
    int rank_, data_tag_, notice_tag_;

    std::vector<std::string> hosts_;  // by rank
    std::unique_ptr<Worker> worker_;
    std::optional<Fault> lost_;     // what came of an operation that the worker was left behind with
    std::atomic<int> partner_ = 0;  // who the operation in progress waits for

    uint64_t sequence_ = 0;                // of the operation in progress, or the last one
    std::atomic<bool> operating_ = false;  // whether it is in progress
    std::vector<Block> blocks_;
    Bytes own_;  // what this rank brings to the operation
    std::vector<Bytes> incoming_, outgoing_;
    std::vector<Send> sends_;
    MPI_Request receiving_ = MPI_REQUEST_NULL;
    std::deque<NoticeOnItsWay> notices_;
    bool left_ = false;
    std::atomic<bool> leaving_ = false;
    std::vector<bool> answered_;         // whether a rank has answered the question of this operation
    std::vector<uint64_t> absent_from_;  // the first operation that a rank takes no part in
    std::optional<Fault> fault_;         // why this operation and all later ones fail
    uint64_t fault_from_ = 0;            // the first that fails
};

}  // namespace ni::mpi
