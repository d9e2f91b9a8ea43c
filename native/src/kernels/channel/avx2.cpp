#include "simd/avx2.h"
//
#include "kernels/channel/planes.inl"
#include "kernels/channel/rows.inl"
#include "kernels/channel/table.inl"

const ni::KernelTable ni::kAvx2Kernels = make_table("avx2");
