"""Keeps glibc's heap, so that PyTorch's outputs cost no page faults. To be imported before torch, which allocates when it is loaded."""

import ctypes


def keep_heap():
    """Has glibc serve everything from one heap that only grows; before the first tensor is made. False where this is not glibc."""
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; Windows, where CDLL takes no None
        return False
    # A threshold for mmap would not do: glibc takes none above 32 MiB, and the large tensors have 128.
    return bool(mallopt(m_mmap_max, 0) and mallopt(m_trim_threshold, -1) and mallopt(m_top_pad, 256 << 20))


HEAP_KEPT = keep_heap()
