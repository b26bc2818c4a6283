"""The memory of this machine and of this program."""

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


__all__ = ["peak_memory", "physical_memory"]
