// How the ranks of a group find out which of them is missing, and tell each other.
#include <algorithm>
#include <string>

#include "group.h"

namespace ni::mpi {
namespace {

/// How long a rank that gives up waits for MPI to take its last notices.
constexpr std::chrono::milliseconds kLastWords{50};

}  // namespace

/// Throws if the operation cannot come to an end any more.
void Group::listen(const Turn& turn) {
    hear_all(turn);
    if (fault_ && sequence_ >= fault_from_) throw Fault(*fault_);
    for (int r = 0; r < size(); ++r) {
        if (absent_from_[static_cast<size_t>(r)] <= sequence_)
            blame(turn, r, NI_MPI_PRESENCE_LEFT, "it has closed the group");
    }
}

/// Hears what has come, and lets go of what has gone out. What MPI refuses here concerns nobody in particular: whoever
/// waits for something that does not come has a limit.
void Group::hear_all(const Turn& turn) {
    for (;;) {
        int there = 0, bytes = 0;
        MPI_Message message;
        MPI_Status status;
        if (MPI_Improbe(MPI_ANY_SOURCE, notice_tag_, communicator_, &there, &message, &status) != MPI_SUCCESS || !there)
            break;
        if (MPI_Get_count(&status, MPI_BYTE, &bytes) != MPI_SUCCESS) break;
        std::vector<uint8_t> text(static_cast<size_t>(bytes));
        if (MPI_Mrecv(text.data(), bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE) != MPI_SUCCESS) break;
        const int source = ranks_[static_cast<size_t>(status.MPI_SOURCE)];
        if (source >= 0 && bytes >= Notice::kHeadBytes) hear(turn, source, Notice::unpack(text));
    }
    while (!notices_.empty()) {
        int done = 0;
        if (MPI_Test(&notices_.front().request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !done) break;
        notices_.pop_front();
    }
}

void Group::hear(const Turn& turn, int source, const Notice& notice) {
    const auto s = static_cast<size_t>(source);
    switch (notice.kind) {
        case NoticeKind::kWhoIsHere:
            // Whoever listens is in an operation: this one, one that the asker needs nothing of, or an earlier one.
            tell(turn, source, {NoticeKind::kHere, notice.sequence, {}});
            break;
        case NoticeKind::kHere:
            if (notice.sequence == sequence_) answered_[s] = true;
            break;
        case NoticeKind::kLeft:
            absent_from_[s] = std::min(absent_from_[s], notice.sequence);
            break;
        case NoticeKind::kFailed:
            // The sender may be an operation ahead, and this one can still come to its end.
            if (notice.presence.size() != members_.size() || (fault_ && fault_from_ <= notice.sequence)) break;
            fault_ = Fault{notice.presence, source, {}};
            fault_from_ = notice.sequence;
            break;
    }
}

/// A notice that does not get through is for a rank that is gone.
void Group::tell(const Turn&, int destination, const Notice& notice) {
    // A deque's elements stay where they are, and so does what a vector holds.
    NoticeOnItsWay& on_its_way = notices_.emplace_back(NoticeOnItsWay{MPI_REQUEST_NULL, notice.pack()});
    const int code = MPI_Isend(on_its_way.bytes.data(), static_cast<int>(on_its_way.bytes.size()), MPI_BYTE,
                               member(destination), notice_tag_, communicator_, &on_its_way.request);
    if (code != MPI_SUCCESS) notices_.pop_back();
}

void Group::tell_all(const Turn& turn, const Notice& notice) {
    for (int distance = 1; distance < size(); ++distance) tell(turn, rank_after(distance), notice);
}

/// Gives MPI the time to send what nobody will wait for later. Short, since it takes a turn.
void Group::let_notices_out(const Turn&) {
    const Clock::time_point deadline = Clock::now() + kLastWords;
    for (auto notice = notices_.begin(); notice != notices_.end() && Clock::now() < deadline;) {
        int done = 0;
        if (MPI_Test(&notice->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done) ++notice;
    }
    while (!notices_.empty() && notices_.front().request == MPI_REQUEST_NULL) notices_.pop_front();
}

/// Ends an operation whose time is over: who has not answered is to blame.
void Group::give_up(const Turn& turn, const Operation& operation, int partner) {
    std::vector<uint8_t> presence(members_.size(), NI_MPI_PRESENCE_PRESENT);
    bool found = false;
    const auto mark = [&](int r) {
        const auto i = static_cast<size_t>(r);
        const bool came = operation.everybody_came || blocks_[i].data != nullptr;
        presence[i] = came ? NI_MPI_PRESENCE_SILENT : NI_MPI_PRESENCE_MISSING;
        found = true;
    };
    const auto silent = [&](int r) { return r != rank_ && !answered_[static_cast<size_t>(r)]; };
    // A rank whose block is here, but that is no longer in the operation, may well have all it needs. Not so the one
    // that this waits for; and the others only where nobody else explains the failure.
    for (int r = 0; r < size(); ++r) {
        if (silent(r) &&
            (r == partner || (!operation.everybody_came && blocks_[static_cast<size_t>(r)].data == nullptr)))
            mark(r);
    }
    for (int r = 0; r < size() && !found; ++r) {
        if (silent(r)) mark(r);
    }
    if (!found) presence[static_cast<size_t>(partner)] = NI_MPI_PRESENCE_SLOW;
    blame(turn, std::move(presence), {});
}

void Group::blame(const Turn& turn, int rank, ni_mpi_presence presence, std::string message) {
    Fault fault = fault_of(rank, presence, std::move(message));
    blame(turn, std::move(fault.presence), std::move(fault.message));
}

/// Ends the group, and tells the others why.
void Group::blame(const Turn& turn, std::vector<uint8_t> presence, std::string message) {
    fault_ = Fault{std::move(presence), rank_, std::move(message)};
    fault_from_ = sequence_;
    tell_all(turn, {NoticeKind::kFailed, sequence_, fault_->presence});
    let_notices_out(turn);
    throw Fault(*fault_);
}

/// Ends the group for a reason of this rank's own. If MPI does not answer, the others find out by themselves.
void Group::end_alone(std::string message) {
    try {
        blame(Turn(), rank_, NI_MPI_PRESENCE_SILENT, message);
    } catch (const Failure&) {
        fault_ = fault_of(rank_, NI_MPI_PRESENCE_SILENT, std::move(message));
        fault_from_ = sequence_;
        operating_ = false;
        throw Fault(*fault_);
    }
}

Fault Group::fault_of(int rank, ni_mpi_presence presence, std::string message) const {
    Fault fault{std::vector<uint8_t>(members_.size(), NI_MPI_PRESENCE_PRESENT), rank_, std::move(message)};
    fault.presence[static_cast<size_t>(rank)] = static_cast<uint8_t>(presence);
    return fault;
}

/// Ends the group where MPI does not return from a call: nobody can be told. To blame is whom the call was for.
void Group::lose() {
    lost_ = fault_of(partner_, NI_MPI_PRESENCE_SILENT,
                     "MPI does not return from a call, as happens when a process dies while it sends");
    throw Fault(*lost_);
}

bool Group::leave() {
    leaving_ = true;
    const auto tell_them = [this] {
        const Turn turn;
        say_farewell(turn);
    };
    // Where an operation is in progress, or lost, the worker is not free: one that still runs will do it.
    if (worker_) return worker_->run(tell_them, after(kGrace));
    tell_them();
    return true;
}

void Group::say_farewell(const Turn& turn) {
    if (left_) return;
    left_ = true;
    // An operation in progress is another thread's, and the program ends: nobody will finish it.
    tell_all(turn, {NoticeKind::kLeft, operating_ ? sequence_ : sequence_ + 1, {}});
    let_notices_out(turn);
}

void Group::release() {
    const Turn turn;
    if (operating_ || receiving_ != MPI_REQUEST_NULL || !sends_.empty()) return;
    own_ = {};
    incoming_.clear();
    outgoing_.clear();
}

bool Group::everybody_left() {
    const Turn turn;
    hear_all(turn);
    for (int r = 0; r < size(); ++r) {
        if (r != rank_ && absent_from_[static_cast<size_t>(r)] == UINT64_MAX) return false;
    }
    return true;
}

}  // namespace ni::mpi
