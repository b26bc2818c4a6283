"""The memory of this machine."""

import os
from math import inf


def physical_memory() -> float:
    """The physical memory in bytes; infinite if unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return inf
