// What the processor and the operating system support.
#pragma once

namespace ni::dispatch {

/// Instruction sets that kernels are compiled for. True only if the operating system saves their registers as well.
struct Cpu {
    bool avx2;    ///< AVX2, FMA and F16C
    bool avx512;  ///< AVX-512 F, BW, DQ and VL, and all of avx2
};

/// This machine, looked at once.
const Cpu& cpu();

}  // namespace ni::dispatch
