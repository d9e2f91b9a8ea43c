#include "norminterop/runtime.h"

#include "api/call.h"
#include "dispatch/dispatch.h"
#include "norminterop/norminterop.h"
#include "parallel/parallel.h"

namespace {

constexpr uint32_t kAbiVersion = 4;

#if defined(__clang__)
#define NI_COMPILER "clang " __clang_version__
#else
#define NI_COMPILER "g++ " __VERSION__
#endif
#if NI_HAVE_X86_KERNELS
#define NI_ISAS "scalar, avx2, avx512"
#elif NI_HAVE_NEON_KERNELS
#define NI_ISAS "scalar, neon"
#else
#define NI_ISAS "scalar"
#endif

}  // namespace

uint32_t ni_abi_version(void) { return kAbiVersion; }

ni_status ni_get_abi_info(ni_abi_info* info) {
    if (info == nullptr) return ni::api::fail(NI_STATUS_NULL_POINTER, "info is null");
    if (info->struct_size != sizeof(ni_abi_info)) {
        return ni::api::fail(NI_STATUS_INVALID_ARGUMENT, "info.struct_size is %u, expected %u", info->struct_size,
                             static_cast<uint32_t>(sizeof(ni_abi_info)));
    }
    *info = {
        .struct_size = sizeof(ni_abi_info),
        .abi_version = kAbiVersion,
        .channel_shape_size = sizeof(ni_channel_shape),
        .group_shape_size = sizeof(ni_group_shape),
        .row_shape_size = sizeof(ni_row_shape),
        .status_count = NI_STATUS_INTERNAL_ERROR + 1,
        .data_type_count = NI_DATA_TYPE_BFLOAT16 + 1,
        .layout_count = NI_LAYOUT_NSC + 1,
        .gradient_mode_count = NI_GRADIENT_MODE_ACCUMULATE + 1,
        .activation_count = NI_ACTIVATION_SILU + 1,
        .pointer_size = sizeof(void*),
    };
    return NI_STATUS_OK;
}

const char* ni_build_info(void) { return "NormInterop " NI_VERSION ", " NI_COMPILER ", kernels: " NI_ISAS; }

ni_status ni_active_isa(const char** name) {
    return ni::api::guarded([&] {
        if (name == nullptr) return ni::api::fail(NI_STATUS_NULL_POINTER, "name is null");
        const auto& choice = ni::dispatch::active();
        if (choice.kernels == nullptr) return ni::api::fail(NI_STATUS_UNSUPPORTED_ISA, "%s", choice.error);
        *name = choice.kernels->isa;
        return NI_STATUS_OK;
    });
}

ni_status ni_set_thread_limit(int32_t limit) {
    if (limit < 0 || limit > ni::parallel::kMaxThreads) {
        return ni::api::fail(NI_STATUS_INVALID_ARGUMENT, "limit is %d, expected 0 to %d", limit,
                             ni::parallel::kMaxThreads);
    }
    ni::parallel::set_limit(limit);
    return NI_STATUS_OK;
}

int32_t ni_thread_limit(void) { return ni::parallel::limit(); }
