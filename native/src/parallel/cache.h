// How much of an output the machine can keep at hand.
#pragma once

#include <stdint.h>

namespace ni::parallel {

/// Bytes of the largest cache that this processor reports, read once; 8 MiB where it reports none.
int64_t last_level_cache_bytes();

}  // namespace ni::parallel
