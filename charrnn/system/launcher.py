"""Whether an MPI launcher, such as mpirun, started this process as one of several."""

import os
from typing import NamedTuple

# the number of a process, among all and on its machine, and the number of all, in the environment
VARIABLES = (
    # Open MPI
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE"),
    # MPICH, Intel MPI; Microsoft MPI lacks the second
    ("PMI_RANK", "MPI_LOCALRANKID", "PMI_SIZE"),
    # MVAPICH
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_SIZE"),
    # srun; not SLURM_NTASKS, which sbatch and salloc set for the one shell that they start
    ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_NUM_TASKS"),
)


class Launched(NamedTuple):
    """This process among those that a launcher started.

    Attributes:
        rank: Its number, from 0.
        size: The number of processes, above 1.
        speaks: Whether it reports what all processes of its machine find: the first of each.
    """

    rank: int
    size: int
    speaks: bool


def launched() -> Launched | None:
    """This process among those of an MPI launcher; None if it was started alone."""
    for rank, local, size in VARIABLES:
        values = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(value.isascii() and value.isdigit() for value in values):
            number, count = map(int, values)
            speaks = number == 0 or os.environ.get(local) == "0"
            return Launched(number, count, speaks) if count > 1 else None
    return None
