"""The cores and the memory of this machine, and the memory of this program."""

import os
import sys
from math import inf

if sys.platform == "win32":
    from charrnn.system.windows import peak_memory, physical_memory
else:
    import resource

    def physical_memory() -> float:
        """The physical memory in bytes; infinite if unknown."""
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):
            return inf

    def peak_memory() -> int:
        """The most memory in bytes that this program has used."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


def available_cores() -> list[int]:
    """The numbers of the cores that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return [*range(os.cpu_count() or 1)]


__all__ = ["available_cores", "peak_memory", "physical_memory"]
