#include "simd/neon.h"
//
#include "simd/contract_ops.inl"

const ni::test::ContractOps ni::test::kNeonOps = on_memory::make_ops("neon");
