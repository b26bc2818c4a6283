"""Whether an MPI launcher, such as mpirun, started this process as one of several."""

import os
import time
from contextlib import suppress
from stat import S_ISSOCK
from typing import NamedTuple

# the number of a process, among all and on its machine, and the number of all, in the environment
# of srun; not SLURM_NTASKS, which sbatch and salloc set for the one shell that they start
SRUN = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_NUM_TASKS")
VARIABLES = (
    # Open MPI
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE"),
    # MPICH, Intel MPI; Microsoft MPI lacks the second
    ("PMI_RANK", "MPI_LOCALRANKID", "PMI_SIZE"),
    # MVAPICH
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_SIZE"),
    SRUN,
)
BEFORE_ABORT = 0.2  # seconds, in which the launcher reads what was printed


class Launched(NamedTuple):
    """This process among those that a launcher started.

    Attributes:
        rank: Its number, from 0.
        size: The number of processes, above 1.
        speaks: Whether it reports what all processes of its machine find: the first of each.
        ends_all: Whether the launcher ends all when one ends with an error; `srun` may not.
    """

    rank: int
    size: int
    speaks: bool
    ends_all: bool = True


def launched() -> Launched | None:
    """This process among those of an MPI launcher; None if it was started alone."""
    for rank, local, size in VARIABLES:
        values = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(value.isascii() and value.isdigit() for value in values):
            number, count = map(int, values)
            by_srun = all(map(_has, (SRUN[0], SRUN[2]), values))
            speaks = number == 0 or _has(local, "0") or (by_srun and _has(SRUN[1], "0"))
            return Launched(number, count, speaks, not by_srun) if count > 1 else None
    return None


def _has(variable: str, value: str) -> bool:
    return os.environ.get(variable) == value


def end_launched(code: int) -> None:
    """Asks the launcher to end all processes, from one that has not started MPI.

    MPICH's launchers do not end the others if such a process ends with an error, and those would
    wait for it. Launchers that have no PMI-1 do.

    Args:
        code: The exit code.
    """
    if (descriptor := os.environ.get("PMI_FD", "")).isdigit():
        time.sleep(BEFORE_ABORT)
        with suppress(OSError):
            if not S_ISSOCK(os.fstat(int(descriptor)).st_mode):
                return  # not the launcher's: it was closed
            for line in ("init pmi_version=1 pmi_subversion=1", f"abort exitcode={code}"):
                os.write(int(descriptor), f"cmd={line}\n".encode())
