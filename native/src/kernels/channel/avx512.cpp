#include "simd/avx512.h"
//
#include "kernels/channel/planes.inl"
#include "kernels/channel/rows.inl"
#include "kernels/channel/table.inl"

const ni::KernelTable ni::kAvx512Kernels = make_table("avx512");
