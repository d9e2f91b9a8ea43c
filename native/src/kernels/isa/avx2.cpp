#include "simd/avx2.h"
//
#include "kernels/isa/table.inl"

const ni::KernelTable ni::kAvx2Kernels = make_table("avx2");
