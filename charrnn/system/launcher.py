"""Whether an MPI launcher, such as mpirun, started this process as one of several."""

import os
from typing import NamedTuple

# the number of a process, and of all of them, as launchers leave them in the environment
VARIABLES = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI, Microsoft MPI
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),  # MVAPICH
    # srun; not SLURM_NTASKS, which sbatch and salloc set for the one shell that they start
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)


class Launched(NamedTuple):
    """This process among those that a launcher started.

    Attributes:
        rank: Its number, from 0.
        size: The number of processes, above 1.
    """

    rank: int
    size: int


def launched() -> Launched | None:
    """This process among those of an MPI launcher; None if it was started alone."""
    for rank, size in VARIABLES:
        values = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(value.isascii() and value.isdigit() for value in values):
            found = Launched(*map(int, values))
            return found if found.size > 1 else None
    return None
