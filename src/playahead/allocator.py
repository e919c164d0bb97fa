"""Keep freed memory instead of giving it back: training touches the same large tensors every step.

glibc's defaults map every large tensor anew and pay a page fault for each 4 KiB; on two cores that alone cost a third
of a training step (docs/log.md). Elsewhere than on glibc this does nothing.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Raise glibc's thresholds for this process; False where there is no glibc to ask."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_M_MMAP_THRESHOLD, 1024), (_M_TRIM_THRESHOLD, 2047), (_M_TOP_PAD, 64))
    return [mallopt(name, size * _MIB) for name, size in settings] == [1] * len(settings)
