// What the tests of the vector contract share: the instruction sets, and operands.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dispatch/cpu.h"
#include "simd/contract.h"
#include "simd/contract_ops.h"
#include "support/bits.h"
#include "support/fill.h"

namespace ni::test {

/// The operations of every instruction set that this machine can run.
inline std::vector<const ContractOps*> supported_ops() {
    std::vector<const ContractOps*> all = {&kScalarOps};
#if NI_HAVE_X86_KERNELS
    if (dispatch::cpu().avx2) all.push_back(&kAvx2Ops);
    if (dispatch::cpu().avx512) all.push_back(&kAvx512Ops);
#endif
#if NI_HAVE_NEON_KERNELS
    all.push_back(&kNeonOps);
#endif
    return all;
}

inline std::string isa_name(const testing::TestParamInfo<const ContractOps*>& info) { return info.param->isa; }

class Contract : public testing::TestWithParam<const ContractOps*> {
protected:
    const ContractOps& ops() const { return *GetParam(); }
};

/// Zeros, infinities, NaN, and both sides of every border of the format, with both signs.
template <class T>
std::vector<T> special_values() {
    using Limits = std::numeric_limits<T>;
    std::vector<T> values;
    for (const T magnitude :
         {T(0), Limits::denorm_min(), 3 * Limits::denorm_min(), Limits::min() - Limits::denorm_min(), Limits::min(),
          Limits::min() * 2, Limits::epsilon() / 2, Limits::epsilon(), T(0.1), T(0.5), 1 - Limits::epsilon() / 2, T(1),
          1 + Limits::epsilon(), T(1.5), T(3), Limits::max() / 2, Limits::max(), Limits::infinity()}) {
        values.push_back(magnitude);
        values.push_back(-magnitude);
    }
    values.push_back(Limits::quiet_NaN());
    return values;
}

/// Any bit pattern: every exponent is as likely as another.
inline float any_float(uint64_t counter) { return std::bit_cast<float>(static_cast<uint32_t>(mixed(counter))); }
inline double any_double(uint64_t counter) { return std::bit_cast<double>(mixed(counter)); }

}  // namespace ni::test
