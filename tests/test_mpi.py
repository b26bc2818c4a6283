"""Training under a real mpirun: it is the run of one process, and no failure makes it hang."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from socket import gethostname

import numpy as np
import pytest
from safetensors.numpy import load_file

import charrnn as package
from tests.conftest import RHYME, TINY

BESIDE = Path(sys.executable).parent
MPIRUN = shutil.which("mpirun", path=str(BESIDE)) or shutil.which("mpirun")
pytestmark = [
    pytest.mark.skipif(not MPIRUN, reason="there is no mpirun: pip install mpich"),
    pytest.mark.skipif(find_spec("mpi4py") is None, reason="mpi4py is not installed"),
]
MAIN = "from charrnn.__main__ import main; main()"
ENDLESS = ["--max-steps", 10**9, "--set", "checkpoints.every=0.2"]
LIMIT = 60.0  # seconds, after which a test fails for a process that hangs
# by root, and with more ranks than cores; each spelling is that of some version of Open MPI
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMP_NUM_THREADS": "1",
}

Start = Callable[..., subprocess.Popen]


@pytest.fixture(autouse=True)
def _text() -> None:
    Path("text.txt").write_text(RHYME * 8, encoding="utf-8")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `charrnn` in several ranks, in place of whose program there may be another."""
    started = []

    def run(ranks: int, *arguments: object, program: str = MAIN, **environment: str):
        paths = [environment.pop("PYTHONPATH", ""), str(Path(package.__file__).parents[1])]
        command = [MPIRUN, "-n", ranks, sys.executable, "-c", program, *arguments]
        process = subprocess.Popen(
            [*map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ
            | ENVIRONMENT
            | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
            | environment,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """The exit code, and what was written to standard error."""
    _, err = process.communicate(timeout=LIMIT)
    return process.returncode, err


def checkpoint(run: str) -> dict:
    return load_file(f"{run}/checkpoints/last.safetensors")


def pids(run: str) -> dict[int, int]:
    """The process of each rank of a run."""
    return {
        int(path.name.rpartition("-")[2]): int(path.read_text()) for path in Path(run).iterdir()
    }


# notes the process of each rank, when training has begun
NOTING = f"""
import os, pathlib
from charrnn.system.launcher import launched
from charrnn.training import parallel
from charrnn.setup import wiring

def noting(objective, ranks, batch_size):
    def noted(*arguments):
        path = pathlib.Path("pids", f"rank-{{ranks.rank}}")
        if arguments[1].step == 3 and not path.exists():
            path.with_suffix(".part").write_text(str(os.getpid()))
            path.with_suffix(".part").rename(path)
        FAULT
        return objective(*arguments)
    return parallel.divided(noted, ranks, batch_size)

wiring.divided = noting
{MAIN}
"""


@pytest.fixture
def training(start: Start) -> Callable[..., tuple[subprocess.Popen, dict[int, int]]]:
    """A run of three ranks, after its fourth step, with the process of each rank."""

    def begin(fault: str = "pass") -> tuple[subprocess.Popen, dict[int, int]]:
        Path("pids").mkdir()
        program = NOTING.replace("FAULT", fault)
        process = start(3, "train", "text.txt", *TINY, *ENDLESS, "--out", "run", program=program)
        deadline = time.monotonic() + LIMIT
        while len([*Path("pids").glob("rank-?")]) < 3 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process, {} if process.poll() is not None else pids("pids")

    return begin


def test_ranks_equal_one_process_and_resume_with_another_number(charrnn, start: Start) -> None:
    double = ["--set", "training.precision=float64", "--set", "schedule.name=constant"]
    chosen = ["train", "text.txt", *TINY, *double, "--layers", 2, "--set", "model.dropout=0.2"]
    assert charrnn(*chosen, "--max-steps", 20, "--out", "whole").code == 0
    for run in ("one", "two"):
        process = start(3, *chosen, "--max-steps", 12, "--out", run)
        out, err = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, err
        assert out == f"{run}/checkpoints/best.safetensors\n"  # by rank 0 alone
        assert err.count("3 ranks, each with 1 worker, share the lanes.") == 1
    one, two = checkpoint("one"), checkpoint("two")
    assert all(np.array_equal(one[name], two[name]) for name in one)
    code, err = ended(start(2, "train", "--resume", "one", "--max-steps", 20))
    assert code == 0, err
    whole, parts = checkpoint("whole"), checkpoint("one")
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-6, atol=1e-9)


def test_a_rank_that_is_killed_ends_all(charrnn, training) -> None:
    process, ranks = training()
    os.kill(ranks[1], signal.SIGKILL)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert "signal 9 (Killed)" in out + err or "Killed (signal 9)" in out + err  # the launcher's
    assert "Traceback" not in err
    assert charrnn("train", "--resume", "run", "--max-steps", 9).code == 0


@pytest.mark.parametrize("rank", [0, 2])
def test_a_rank_that_fails_ends_all_with_one_error(training, rank: int) -> None:
    process, _ = training(f"if ranks.rank == {rank} and arguments[1].step == 5: raise MemoryError")
    code, err = ended(process)
    assert code != 0
    assert err.count("error: ") == 1
    assert f"error: {f'rank 2 on {gethostname()}: ' if rank else ''}out of memory" in err
    assert "Traceback" not in err
    assert checkpoint("run")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_any_rank_saves_the_run(charrnn, training, rank: int) -> None:
    process, ranks = training()
    os.kill(ranks[rank], signal.SIGUSR1)
    code, err = ended(process)
    assert code == 130, err
    assert err.count("everything is saved.") == 1


def test_ctrl_c_saves_the_run(training) -> None:
    """MPICH passes it on; Open MPI passes on SIGUSR1, and ends its processes soon after Ctrl-C."""
    version = subprocess.run([MPIRUN, "--version"], capture_output=True, text=True).stdout
    process, _ = training()
    process.send_signal(signal.SIGUSR1 if "Open MPI" in version else signal.SIGINT)
    code, err = ended(process)
    assert code == 130, err
    assert err.count("everything is saved.") == 1


def test_a_text_that_one_rank_lacks(start: Start) -> None:
    program = f"""
from charrnn.system.launcher import launched
from charrnn.setup import preparation

def missing(paths, *rest):
    return read_text(["nowhere.txt"] if launched().rank == 1 else paths, *rest)

read_text, preparation.read_text = preparation.read_text, missing
{MAIN}
"""
    code, err = ended(start(3, "train", "text.txt", *TINY, "--out", "run", program=program))
    assert code == 3, err
    assert err.count("error: ") == 1
    assert "error: rank 1 on " in err
    assert "nowhere.txt" in err
    assert not Path("run").exists()


def test_without_mpi4py_there_is_one_error_and_no_run(start: Start, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "mpi4py.py").write_text("raise ImportError(name='mpi4py')")
    without = str(tmp_path / "without")
    code, err = ended(start(3, "train", "text.txt", *TINY, "--out", "run", PYTHONPATH=without))
    assert code == 2, err
    assert err.count("error: ") == 1
    assert "needs mpi4py, which is not installed" in err
    assert not Path("run").exists()


# an error of one rank before MPI starts, which the others wait for
EARLY = f"""
import sys
from charrnn.cli import ranks
from charrnn.system.launcher import launched
ranks.FIRST_WORD = 0.2
if launched().rank == RANK:
    FAULT
{MAIN}
"""
WITHOUT_MPI4PY = "sys.modules['mpi4py'] = None"


@pytest.mark.parametrize(
    ("rank", "fault", "message"),
    [
        (1, "sys.argv.append('--newer')", "there is no option --newer"),
        (1, WITHOUT_MPI4PY, "needs mpi4py, which is not installed"),
        (0, WITHOUT_MPI4PY, "needs mpi4py, which is not installed"),
    ],
)
def test_a_rank_that_fails_before_mpi_starts(start: Start, rank: int, fault, message) -> None:
    program = EARLY.replace("RANK", str(rank)).replace("FAULT", fault)
    code, err = ended(start(2, "train", "text.txt", *TINY, "--out", "run", program=program))
    assert code == 2, err
    assert err.count("error: ") == 1
    whose = f"rank {rank} on {gethostname()}: " if rank else ""
    assert re.search(f"error: {whose}.*{message}", err)
    assert not Path("run").exists()


def test_a_signal_ends_ranks_that_wait_for_mpi_to_start(start: Start) -> None:
    program = f"""
import os, pathlib, time
from charrnn.commands import ranks
from charrnn.system.launcher import launched

def noting(started):
    pathlib.Path("pid.part").write_text(str(os.getpid()))
    pathlib.Path("pid.part").rename("pid")
    return join(started)

if launched().rank == 1:
    time.sleep({LIMIT})
join, ranks.join = ranks.join, noting
{MAIN}
"""
    process = start(2, "train", "text.txt", *TINY, "--out", "run", program=program)
    deadline = time.monotonic() + LIMIT
    while not Path("pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # most of which it waits in C
    os.kill(int(Path("pid").read_text()), signal.SIGTERM)
    process.communicate(timeout=LIMIT / 3)
    assert process.returncode != 0


def test_other_commands_and_wrong_ones_are_refused_once(start: Start) -> None:
    for arguments, message in (
        (["sample", "run"], "an MPI launcher started `charrnn sample` 2 times"),
        (["train", "--bogus"], "there is no option --bogus"),
        (["train", "text.txt", *TINY, "--batch-size", 1], "2 ranks cannot share 1 lane"),
    ):
        code, err = ended(start(2, *arguments))
        assert code == 2, err
        assert err.count("error: ") == 1
        assert message in err


def test_programs_of_ranks_train_by_themselves_in_python(start: Start) -> None:
    """`charrnn.train` does not join: each rank of a program has a run of its own."""
    program = """
import sys
from mpi4py import MPI
import charrnn
rank = MPI.COMM_WORLD.Get_rank()
run = charrnn.train("text.txt", hidden_size=8, batch_size=2, seed=rank, max_steps=2 + rank)
steps = MPI.COMM_WORLD.gather(run.steps)
if rank == 0:
    print(steps)
"""
    process = start(2, program=program)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    assert out == "[2, 3]\n"


def test_a_launcher_that_the_mpi_library_does_not_know() -> None:
    """As `srun` without `--mpi`: each process would be alone, and train a run of its own."""
    slurm = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_STEP_NUM_TASKS": "4"}
    command = [sys.executable, "-c", MAIN, "train", "text.txt", *TINY, "--out", "run"]
    path = {"PYTHONPATH": str(Path(package.__file__).parents[1])}
    done = subprocess.run(
        command, env=os.environ | path | slurm, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 2, done.stderr
    assert "started 4 processes, of which the MPI library of mpi4py finds 1" in done.stderr
    assert not Path("run").exists()
