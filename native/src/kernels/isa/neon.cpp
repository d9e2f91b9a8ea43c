#include "simd/neon.h"
//
#include "kernels/isa/table.inl"

const ni::KernelTable ni::kNeonKernels = make_table("neon");
