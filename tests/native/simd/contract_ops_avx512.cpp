#include "simd/avx512.h"
//
#include "simd/contract_ops.inl"

const ni::test::ContractOps ni::test::kAvx512Ops = on_memory::make_ops("avx512");
