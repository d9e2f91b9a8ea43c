#ifndef NORMINTEROP_TYPES_H
#define NORMINTEROP_TYPES_H

#ifdef __cplusplus
extern "C" {
#endif

/// Type of the elements of a data tensor. It decides the type of the parameters: weight, bias, running buffers and
/// their gradients are double for double data, and float for all others. Results of 16 bits are the exact ones rounded
/// to nearest even, or neighbours of these; a NaN stays one.
typedef enum ni_data_type {
    /// IEEE 754 binary32; parameters are float.
    NI_DATA_TYPE_FLOAT32 = 0,
    /// IEEE 754 binary64; parameters are double.
    NI_DATA_TYPE_FLOAT64 = 1,
    /// IEEE 754 binary16, "half"; parameters are float.
    NI_DATA_TYPE_FLOAT16 = 2,
    /// The upper half of a binary32, "bfloat16"; parameters are float.
    NI_DATA_TYPE_BFLOAT16 = 3
} ni_data_type;

/// Memory order of a tensor of N samples, C channels and S positions.
typedef enum ni_layout {
    /// N, C, S: "contiguous". Element (n, c, s) is at (n * C + c) * S + s.
    NI_LAYOUT_NCS = 0,
    /// N, S, C: "channels last". Element (n, c, s) is at (n * S + s) * C + c.
    NI_LAYOUT_NSC = 1
} ni_layout;

/// What a backward call does with the parameter gradients that it finds.
typedef enum ni_gradient_mode {
    /// Replace them.
    NI_GRADIENT_MODE_OVERWRITE = 0,
    /// Add to them.
    NI_GRADIENT_MODE_ACCUMULATE = 1
} ni_gradient_mode;

#ifdef __cplusplus
}
#endif

#endif
