// What the benchmark program wants of its own process, before and beside the timing. Part of the limit's library, which
// needs no package and is therefore always there.

#include "peer.h"

// Which a header of the C library has defined by now.
#if defined(__GLIBC__)
#include <malloc.h>
#include <sys/resource.h>
#endif

extern "C" {

/// Has glibc serve everything from one heap that only grows, so that the outputs which libtorch allocates in every call
/// cost no page faults. To be called before the first large allocation, from the thread that will do the timing.
/// Returns whether it worked; it cannot where there is no glibc.
PEER_API int32_t process_keep_heap(void);

/// Page faults of this process so far that needed no disk, or -1 where they are not counted.
PEER_API int64_t process_page_faults(void);
}

int32_t process_keep_heap(void) {
#if defined(__GLIBC__)
    // A threshold for mmap would not do: glibc takes none above 32 MiB, and the large tensors have 128.
    constexpr int kTopPad = 256 << 20;
    return mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, -1) == 1 && mallopt(M_TOP_PAD, kTopPad) == 1 ? 1
                                                                                                                 : 0;
#else
    return 0;
#endif
}

int64_t process_page_faults(void) {
#if defined(__GLIBC__)
    rusage usage{};
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_minflt : -1;
#else
    return -1;
#endif
}
