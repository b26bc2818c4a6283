"""What this machine has."""

import os
from math import inf


def physical_memory() -> float:
    """Its memory in bytes; infinite where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return inf
