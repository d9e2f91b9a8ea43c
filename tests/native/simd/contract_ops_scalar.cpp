#include "simd/scalar.h"
//
#include "simd/contract_ops.inl"

const ni::test::ContractOps ni::test::kScalarOps = on_memory::make_ops("scalar");
