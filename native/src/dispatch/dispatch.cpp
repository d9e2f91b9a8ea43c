#include "dispatch/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/cpu.h"

namespace ni::dispatch {

Candidates candidates() {
    static const Candidate all[] = {
        {&kScalarKernels, true},
#if NI_HAVE_X86_KERNELS
        {&kAvx2Kernels, cpu().avx2},
        {&kAvx512Kernels, cpu().avx512},
#endif
#if NI_HAVE_NEON_KERNELS
        {&kNeonKernels, true},  // a part of every AArch64 CPU
#endif
    };
    return {all, static_cast<int>(sizeof all / sizeof all[0])};
}

Choice choose(const char* name) {
    static thread_local char error[256];
    const bool any = name == nullptr || *name == '\0';
    Choice choice{nullptr, nullptr};
    bool known = false;
    char names[128] = "";
    for (const Candidate& candidate : candidates()) {
        const char* isa = candidate.kernels->isa;
        const bool wanted = any || strcmp(name, isa) == 0;
        known |= wanted;
        if (!candidate.supported) continue;
        if (wanted) choice.kernels = candidate.kernels;
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names != '\0' ? ", " : "", isa);
    }
    if (choice.kernels == nullptr) {
        snprintf(error, sizeof error, "NORMINTEROP_ISA is \"%.64s\", which %s; expected one of: %s", name,
                 known ? "this CPU or operating system does not support" : "this build does not know", names);
        choice.error = error;
    }
    return choice;
}

const Choice& active() {
    static char error[256];
    static const Choice choice = [] {
        Choice made = choose(getenv("NORMINTEROP_ISA"));
        if (made.error != nullptr) {
            snprintf(error, sizeof error, "%s", made.error);
            made.error = error;
        }
        return made;
    }();
    return choice;
}

}  // namespace ni::dispatch
