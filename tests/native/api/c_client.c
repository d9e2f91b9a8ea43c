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

/* Calls the other layers on one row of four, or one sample of two channels; says which of them is wrong. */
static const char* other_layers(void) {
    const float x[4] = {1, 3, 5, 5}, dy[4] = {1, 1, 1, 1};
    float y[4], dx[4], sums[4] = {0, 0, 0, 0}, dweight[4], dbias[4];
    double mean[2], invstd[2];
    int64_t bytes = 0;
    uint8_t mask = 0;
    ni_row_shape row;
    ni_group_shape group;
    ni_channel_shape channel;
    memset(&row, 0, sizeof row);
    memset(&group, 0, sizeof group);
    memset(&channel, 0, sizeof channel);
    row.struct_size = sizeof row;
    group.struct_size = sizeof group;
    channel.struct_size = sizeof channel;
    row.rows = group.batch = channel.batch = 1;
    row.length = 4;
    group.channels = group.groups = group.spatial = channel.channels = channel.spatial = 2;
    if (ni_layernorm_forward(&row, x, NULL, NULL, 0, mean, invstd, y) != NI_STATUS_OK || mean[0] != 3.5 ||
        ni_layernorm_backward(&row, dy, x, NULL, mean, invstd, NI_GRADIENT_MODE_OVERWRITE, dx, dweight, dbias) !=
            NI_STATUS_OK ||
        fabsf(dx[1]) > 1e-6F || dbias[3] != 1)
        return "layernorm";
    if (ni_rmsnorm_forward(&row, x, NULL, 0, invstd, y) != NI_STATUS_OK ||
        fabs(invstd[0] * invstd[0] - 1.0 / 15) > 1e-9 ||
        ni_rmsnorm_backward(&row, dy, x, NULL, invstd, NI_GRADIENT_MODE_OVERWRITE, NULL, dweight) != NI_STATUS_OK ||
        fabsf(dweight[2] - y[2]) > 1e-6F)
        return "rmsnorm";
    if (ni_groupnorm_forward(&group, x, NULL, NULL, 0, mean, invstd, y) != NI_STATUS_OK || y[0] != -1 || y[3] != 0 ||
        ni_groupnorm_backward(&group, dy, x, NULL, mean, invstd, NI_GRADIENT_MODE_OVERWRITE, dx, NULL, dbias) !=
            NI_STATUS_OK ||
        dx[0] != 0 || dbias[1] != 2)
        return "groupnorm";
    if (ni_instancenorm_forward(&channel, x, NULL, NULL, 0, 0.5, sums, sums + 2, mean, invstd, y) != NI_STATUS_OK ||
        y[1] != 1 || sums[1] != 2.5F ||
        ni_instancenorm_backward(&channel, dy, x, NULL, mean, invstd, NI_GRADIENT_MODE_OVERWRITE, dx, NULL, NULL) !=
            NI_STATUS_OK)
        return "instancenorm";
    if (ni_caffe_batchnorm_forward_training(&channel, x, 0, 1, sums, sums + 2, NULL, NULL, y) != NI_STATUS_OK ||
        sums[1] != 7.5F)
        return "caffe batchnorm";
    if (ni_activation_mask_bytes(4, &bytes) != NI_STATUS_OK || bytes != 1 ||
        ni_instancenorm_act_forward(&channel, x, NULL, NULL, 0, 0.5, NULL, NULL, mean, invstd, y, NI_ACTIVATION_RELU, x,
                                    &mask) != NI_STATUS_OK ||
        y[0] != 0 || y[1] != 4 || (mask & 15) != 14)
        return "instancenorm with an activation";
    return NULL;
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
    if (other_layers() != NULL) return printf("wrong result of %s\n", other_layers()), 1;
    printf("isa %s\n", isa);
    return 0;
}
