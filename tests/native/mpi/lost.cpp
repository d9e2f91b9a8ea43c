// Two ranks that take each other for other hosts, and an MPI that does not return from a call of one of them, as
// happens over TCP when a process dies in the middle of a message. Whoever calls the library gets an answer all the
// same, and so does the end of the program. Each rank says so in one line; its exit is not an orderly one.
#include <mpi.h>
#include <norminterop_mpi/norminterop_mpi.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

namespace {

std::atomic<bool> hangs = false;

int32_t rank_of_process() {
    int rank = 0;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

/// Runs call() and tells whether it took less than so many seconds.
template <class Call>
bool is_quicker(double seconds, Call call) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    return std::chrono::steady_clock::now() - begin < std::chrono::duration<double>(seconds);
}

}  // namespace

// The program's own definitions come before those of MPI, which has these functions under a second name for that.
extern "C" int MPI_Improbe(int source, int tag, MPI_Comm communicator, int* there, MPI_Message* message,
                           MPI_Status* status) {
    while (hangs) std::this_thread::sleep_for(std::chrono::seconds(1));
    return PMPI_Improbe(source, tag, communicator, there, message, status);
}

extern "C" int MPI_Get_processor_name(char* name, int* length) {
    *length = snprintf(name, MPI_MAX_PROCESSOR_NAME, "host%d", rank_of_process());
    return MPI_SUCCESS;
}

int main() {
    constexpr double kLimit = 1, kSlack = 5;
    int32_t group, finder;
    uint8_t presence[2];
    const uint8_t bytes[] = {1, 2, 3};
    if (ni_mpi_start(60) != NI_MPI_STATUS_OK || ni_mpi_open_world(60, &group) != NI_MPI_STATUS_OK ||
        ni_mpi_gather(group, bytes, 3, 60, presence, &finder) != NI_MPI_STATUS_OK) {
        printf("did not begin: %s\n", ni_mpi_last_error_message());
        return 1;
    }
    const int32_t rank = rank_of_process();
    hangs = rank == 0;
    std::string said;
    const auto note = [&](bool quick, bool right, const char* what) {
        said += std::string(", ") + what + (right ? " right" : " wrong") + (quick ? "" : " but late");
    };
    ni_mpi_status status = NI_MPI_STATUS_OK;
    bool quick =
        is_quicker(kLimit + kSlack, [&] { status = ni_mpi_gather(group, bytes, 3, kLimit, presence, &finder); });
    // The other rank may have had all it needs by then.
    const bool blames =
        status == NI_MPI_STATUS_FAULT && presence[rank] == NI_MPI_PRESENCE_PRESENT && presence[1 - rank] != 0;
    note(quick, blames || (rank == 1 && status == NI_MPI_STATUS_OK), "operation");
    quick = is_quicker(kSlack, [&] { status = ni_mpi_gather(group, bytes, 3, kLimit, presence, &finder); });
    note(quick, status == NI_MPI_STATUS_FAULT && presence[1 - rank] != 0, "next");
    quick = is_quicker(kSlack, [&] { status = ni_mpi_close(group); });
    note(quick, status == NI_MPI_STATUS_OK, "close");
    quick = is_quicker(kLimit + 2 * kSlack, [&] { status = ni_mpi_finish(kLimit); });
    // The rank that MPI has kept does not come to its end; what MPI makes of that on the other is its own affair.
    note(quick, rank == 1 || status == NI_MPI_STATUS_TIMED_OUT, "finish");
    printf("rank %d%s.\n", rank, said.c_str());
    fflush(stdout);
    _exit(0);
}
