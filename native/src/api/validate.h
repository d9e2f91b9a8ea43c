// Checks that the functions of the C API share. Each returns NI_STATUS_OK or sets the message.
#pragma once

#include <stdint.h>

#include <initializer_list>

#include "kernels/channel/channel_tensor.h"
#include "kernels/group/group_tensor.h"
#include "kernels/row/row_tensor.h"
#include "norminterop/channel.h"
#include "norminterop/group.h"
#include "norminterop/row.h"

namespace ni::api {

/// Checks a descriptor and turns it into the kernels' view. The size of its tensors in bytes fits in 63 bits.
ni_status check_shape(const ni_channel_shape* shape, ChannelTensor* tensor);
ni_status check_shape(const ni_group_shape* shape, GroupTensor* tensor);
ni_status check_shape(const ni_row_shape* shape, RowTensor* tensor);

/// Bytes of an element of a data type that is known, which is also its alignment.
int32_t element_bytes(int32_t data_type);

/// eps must be a number that is not negative.
ni_status check_eps(double eps);

/// The mode must be an ni_gradient_mode.
ni_status check_gradient_mode(int32_t mode);

/// Running buffers come in pairs.
ni_status check_running_buffers(const void* running_mean, const void* running_var);

enum class Need : int32_t { kRequired, kOptional };
enum class Access : int32_t { kRead, kWrite };

/// One pointer argument: what it is called, what it must hold, and what is done to it.
struct Buffer {
    const char* name;
    const void* data;
    int64_t bytes;
    Need need;
    Access access;
    int32_t alignment;
    /// Buffers that a written one may be exactly: null-terminated names, "" for none. Two at most.
    const char* same_as[2];
};

/// Required buffers are not null, elements are aligned, and no written buffer overlaps another one, except where it is
/// exactly a buffer that it may be.
ni_status check_buffers(std::initializer_list<Buffer> buffers);

}  // namespace ni::api
