#include "simd/scalar.h"
//
#include "kernels/channel/planes.inl"
#include "kernels/channel/rows.inl"
#include "kernels/channel/table.inl"

const ni::KernelTable ni::kScalarKernels = make_table("scalar");
