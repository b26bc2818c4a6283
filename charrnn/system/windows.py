"""What only the interface of Windows tells: memory, and consoles that move their cursor."""

import ctypes
import sys
from ctypes import wintypes
from math import inf

assert sys.platform == "win32"  # for the type checker

STREAMS = (-11, -12)  # standard output and standard error
ESCAPE_SEQUENCES = 4  # a flag of a console


class _Memory(ctypes.Structure):
    """MEMORYSTATUSEX: its size, the load in percent, the physical memory, and what is unused."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("load", wintypes.DWORD),
        ("physical", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 6),
    )


class _Used(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS: its size, page faults, the peak, and what is unused."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("faults", wintypes.DWORD),
        ("peak", ctypes.c_size_t),
        ("others", ctypes.c_size_t * 7),
    )


def physical_memory() -> float:
    """The physical memory in bytes; infinite if unknown."""
    memory = _Memory(ctypes.sizeof(_Memory))
    known = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(memory))
    return memory.physical if known else inf


def peak_memory() -> int:
    """The most memory in bytes that this program has used."""
    used, kernel = _Used(ctypes.sizeof(_Used)), ctypes.windll.kernel32
    this = wintypes.HANDLE(-1)
    kernel.K32GetProcessMemoryInfo(this, ctypes.byref(used), used.size)
    return int(used.peak)


def allow_escape_sequences() -> None:
    """Lets the console interpret escape sequences, if it can; later ones than of 2016 can."""
    kernel, mode = ctypes.windll.kernel32, wintypes.DWORD()
    kernel.GetStdHandle.restype = wintypes.HANDLE
    for stream in STREAMS:
        console = wintypes.HANDLE(kernel.GetStdHandle(stream))
        if kernel.GetConsoleMode(console, ctypes.byref(mode)):
            kernel.SetConsoleMode(console, mode.value | ESCAPE_SEQUENCES)
