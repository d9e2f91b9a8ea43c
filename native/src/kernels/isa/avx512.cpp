#include "simd/avx512.h"
//
#include "kernels/isa/table.inl"

const ni::KernelTable ni::kAvx512Kernels = make_table("avx512");
