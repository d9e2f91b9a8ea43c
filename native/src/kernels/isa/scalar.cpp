#include "simd/scalar.h"
//
#include "kernels/isa/table.inl"

const ni::KernelTable ni::kScalarKernels = make_table("scalar");
