#include "simd/avx2.h"
//
#include "simd/contract_ops.inl"

const ni::test::ContractOps ni::test::kAvx2Ops = on_memory::make_ops("avx2");
