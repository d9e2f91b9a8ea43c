/* A C99 program: that it compiles says that the headers are C. Prints the instruction set in use, or why there is none,
   and that a call agrees. CTest runs it with several values of NORMINTEROP_ISA, which is read once in a process. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "norminterop/norminterop.h"

/* Normalizes two channels of three samples. */
static ni_status normalize(float* y) {
    const float x[6] = {-1, 8, 0, 0, 1, -8};
    ni_channel_shape shape;
    memset(&shape, 0, sizeof shape);
    shape.struct_size = sizeof shape;
    shape.data_type = NI_DATA_TYPE_FLOAT32;
    shape.layout = NI_LAYOUT_NCS;
    shape.batch = 3;
    shape.channels = 2;
    shape.spatial = 1;
    return ni_batchnorm_forward_training(&shape, x, NULL, NULL, 1e-5, 0.1, NULL, NULL, NULL, NULL, y);
}

int main(void) {
    const char* isa = NULL;
    float y[6] = {7, 7, 7, 7, 7, 7};
    const ni_status status = ni_active_isa(&isa);
    if (status != NI_STATUS_OK) {
        int i;
        printf("status %d: %s\n", (int)status, ni_last_error_message());
        if (isa != NULL || normalize(y) != status) return printf("a call disagrees\n"), 1;
        for (i = 0; i < 6; ++i) {
            if (y[i] != 7) return printf("a refused call wrote\n"), 1;
        }
        return 2;
    }
    if (normalize(y) != NI_STATUS_OK) return printf("%s\n", ni_last_error_message()), 1;
    if (fabsf(y[0] + 1.2247F) > 1e-4F || fabsf(y[1] - 1.2247F) > 1e-4F || y[2] != 0) {
        return printf("wrong result %g %g\n", (double)y[0], (double)y[1]), 1;
    }
    printf("isa %s\n", isa);
    return 0;
}
