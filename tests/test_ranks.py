"""A run of several ranks is that of one process: here the ranks are threads, in test_mpi MPI's."""

import json
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from safetensors.numpy import load_file

from charrnn.report.flags import as_flags
from charrnn.runs import follower
from charrnn.runs import start as run_start
from charrnn.runs.leader import Leader
from charrnn.runs.saving import Saver
from charrnn.system.launcher import VARIABLES, Launched, launched
from charrnn.system.ranks import Ranks
from charrnn.training import parallel
from charrnn.training.evaluation import Scorer
from charrnn.wording import call
from tests.conftest import RHYME, TINY
from tests.ranks import group, launcher

DOUBLE = ["--set", "training.precision=float64"]
CONSTANT = ["--set", "schedule.name=constant"]


def settings(*values: str) -> list[str]:
    return [word for value in values for word in ("--set", value)]


@pytest.fixture
def train(charrnn, monkeypatch):
    """Trains with a number of ranks; returns the outcome."""

    def run(size: int, *arguments: object, code: int = 0):
        if size == 1:
            outcome = charrnn("train", *arguments)
        else:
            with launcher(size, monkeypatch) as raised:
                outcome = charrnn("train", *arguments)
            assert not raised
        assert outcome.code == code, outcome.err
        return outcome

    return run


def lines(run: str, kind: str = "") -> list[dict]:
    text = Path(run, "metrics.jsonl").read_text()
    return [line for line in map(json.loads, text.splitlines()) if kind in ("", line["event"])]


def checkpoint(run: str, name: str = "last") -> dict:
    return load_file(f"{run}/checkpoints/{name}.safetensors")


def assert_close(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-9, err_msg=name)


def assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


KINDS = {
    "stream": [],
    "stack with dropout": ["model.layers=2", "model.dropout=0.3", "training.reduction=sum"],
    "lines": ["data.sequences=lines", "training.patience=5"],
    "documents": ["data.sequences=documents", "training.stride=3"],
    "full": ["training.bptt=full"],
    "averaged": ["training.averaging=0.2", "optimizer.name=muon", "training.clip.by=value"],
    "more ranks than some windows have lanes": ["data.sequences=lines", "training.batch_size=5"],
}


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    for number, times in enumerate((15, 1, 2)):  # the first is scored as a stream of several lanes
        (tmp_path / f"{number}.txt").write_text(RHYME * times, encoding="utf-8")
    return [f"{number}.txt" for number in range(3)]


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_equal_one_process(train, texts, kind: str) -> None:
    """Weights, optimizer, hidden states, scores and the log but for rounding."""
    held_out = settings("data.validation=[0.txt]", "data.test=[1.txt]")
    chosen = [*TINY, *settings("training.batch_size=7", *KINDS[kind]), *DOUBLE, *held_out]
    for size in (1, 3):
        train(size, *texts, *chosen, "--max-steps", 12, "--out", f"{size}")
    for name in ("last", "best"):
        assert_close(checkpoint("1", name), checkpoint("3", name))
    one, three = (
        [line for line in lines(f"{size}") if line["event"] != "sample"] for size in (1, 3)
    )
    assert len(one) == len(three)
    for line, other in zip(one, three, strict=True):
        timeless = {key for key in line if "second" not in key and "histogram" not in key}
        assert line["event"] == other["event"]
        for key in timeless:
            if isinstance(line[key], float):
                assert other[key] == pytest.approx(line[key], rel=1e-6), key


def test_the_same_ranks_give_the_same_bits(train, texts) -> None:
    for run in ("a", "b"):
        train(3, *texts, *TINY, "--max-steps", 9, "--out", run)
    assert_same(checkpoint("a"), checkpoint("b"))


@pytest.mark.parametrize(("before", "after"), [(3, 2), (1, 4), (4, 1)])
def test_a_run_resumes_with_another_number_of_ranks(train, texts, before: int, after: int) -> None:
    chosen = [*texts, *TINY, *settings("model.layers=2"), *DOUBLE, *CONSTANT]
    train(1, *chosen, "--max-steps", 20, "--out", "whole")
    train(before, *chosen, "--max-steps", 11, "--out", "parts")
    train(after, "--resume", "parts", "--max-steps", 20)
    assert_close(checkpoint("whole"), checkpoint("parts"))


def test_resumed_with_as_many_ranks_equals_uninterrupted_bit_for_bit(train, texts) -> None:
    train(3, *texts, *TINY, *CONSTANT, "--max-steps", 20, "--out", "whole")
    train(3, *texts, *TINY, *CONSTANT, "--max-steps", 11, "--out", "parts")
    train(3, "--resume", "parts", "--max-steps", 20)
    assert_same(checkpoint("whole"), checkpoint("parts"))


def test_a_resumed_model_with_a_larger_vocabulary(train, texts) -> None:
    """The vocabulary of rank 0 is that of all: the text alone does not determine it."""
    Path("digits.txt").write_text("0123456789 " * 20)
    train(1, "digits.txt", *TINY, "--max-steps", 2, "--out", "parent")
    more = [*TINY[:2], *TINY[4:], "--init-from", "parent", *DOUBLE]
    extend = settings("model.extend_vocabulary=true", "model.hidden_size=16")
    for size in (1, 3):
        train(size, *texts, *more, *extend, "--max-steps", 5, "--out", f"{size}")
    assert_close(checkpoint("1"), checkpoint("3"))


def diverging(monkeypatch, name: str, step: int) -> None:
    """Makes the states of rank 1, or of one process, not finite before a step, once."""
    original, broken = getattr(parallel, name), {step - 1}

    def breaking(objective_or_maker, ranks_or_workers, *rest):
        shared = original(objective_or_maker, ranks_or_workers, *rest)

        def once(params, window, h0):
            if window.step in broken and getattr(ranks_or_workers, "rank", 1) == 1:
                broken.remove(window.step)
                h0 = np.full_like(h0, np.nan)
            return shared(params, window, h0)

        return once

    monkeypatch.setattr(f"charrnn.setup.wiring.{name}", breaking)


@pytest.mark.parametrize("back_to", [7, 9])
def test_a_divergence_is_rolled_back_by_all(train, texts, monkeypatch, back_to: int) -> None:
    """To an evaluated or a saved state; from there on it is the run of one process again."""
    monkeypatch.setattr(Saver, "due", property(lambda self: self._run.state.progress.step == 9))
    if back_to == 7:
        monkeypatch.setattr(Saver, "due", False)
    chosen = [*texts, *TINY, *DOUBLE, *settings("training.on_divergence=rollback")]
    for size, name in ((2, "divided"), (1, "parallel")):
        with monkeypatch.context() as patch:
            diverging(patch, name, step=12)
            outcome = train(size, *chosen, "--max-steps", 20, "--out", f"{size}")
        assert "training diverged at step 12" in outcome.err
        assert f"Back to step {back_to}," in outcome.err
        assert lines(f"{size}", "step")[-1]["rollbacks"] == 1
    assert_close(checkpoint("1"), checkpoint("2"))


def test_a_divergence_without_rollback_ends_all(train, texts, monkeypatch) -> None:
    norms = []
    for size, name in ((3, "divided"), (1, "parallel")):
        with monkeypatch.context() as patch:
            diverging(patch, name, step=6)
            run = [*texts, *TINY, "--max-steps", 20, "--out", f"{size}"]
            assert train(size, *run, code=1).err.count("error:") == 1
        report = json.loads(Path(f"{size}", "divergence-6", "report.json").read_text())
        norms.append(report["hidden_state_norm"])
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_an_update_that_overflows_ends_all(train, texts) -> None:
    chosen = settings("optimizer.learning_rate=1e30", "training.clip.by=none")
    outcome = train(3, *texts, *TINY, *chosen, "--max-steps", 20, "--out", "run", code=1)
    assert outcome.err.count("error:") == 1
    assert Path("run", "divergence-2", "window.txt").is_file()


def test_a_rank_that_is_asked_to_stop_stops_all(train, texts, monkeypatch) -> None:
    """After the step; resumed, the run is that of one that was not stopped, bit for bit."""
    chosen = [*texts, *TINY, "--max-steps", 20]
    train(3, *chosen, "--out", "whole")

    def stopping(objective, ranks, batch_size):
        def asked(params, window, h0):
            if ranks.rank == 2 and window.step == 8:
                ranks.asked_to_stop = lambda: True
            return parallel.divided(objective, ranks, batch_size)(params, window, h0)

        return asked

    with monkeypatch.context() as patch:
        patch.setattr("charrnn.setup.wiring.divided", stopping)
        outcome = train(3, *chosen, "--out", "parts", code=130)
    assert "stopped: after step 9; everything is saved." in outcome.err
    train(3, "--resume", "parts")
    assert_same(checkpoint("whole"), checkpoint("parts"))


def test_a_run_that_is_stopped_before_its_first_step(train, texts, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Leader, "stopping", True)
        outcome = train(2, *texts, *TINY, "--out", "run", code=130)
    assert "stopped: before the first step; everything is saved." in outcome.err
    train(1, "--resume", "run", "--max-steps", 1)


@pytest.mark.parametrize(
    ("rank", "size", "start"),
    [("PMI_RANK", "PMI_SIZE", "mpirun -n 3 "), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "")],
)
def test_commands_to_continue_start_as_many_ranks(monkeypatch, rank, size, start: str) -> None:
    """Unless options of the launcher would be missing."""
    monkeypatch.setenv(rank, "0")
    monkeypatch.setenv(size, "3")
    assert as_flags(call("train", resume="a")) == f"{start}charrnn train --resume a"
    assert as_flags(call("sample", "a")) == "charrnn sample a"


def test_a_run_against_the_clock_with_a_plan(train, texts) -> None:
    """What to train is chosen by rank 0, and the time is its own."""
    outcome = train(2, *texts, "--max-time", "0.3s", "--out", "run")
    assert "2 ranks, each with 1 worker, share the lanes." in outcome.err


def test_the_plan_is_made_from_steps_of_all_ranks(train, texts, monkeypatch) -> None:
    """Each computes its lanes of the windows of rank 0, before it has the text."""
    computed: list[tuple[int, int]] = []  # the rank, and its number of lanes
    trials: list[list[tuple[int, int]]] = []

    def counting(objective, ranks, batch_size):
        def counted(params, window, h0):
            computed.append((ranks.rank, len(h0)))
            return objective(params, window, h0)

        return parallel.divided(counted, ranks, batch_size)

    def trying(*arguments):
        computed.clear()
        measured = trial_of_all(*arguments)
        trials.append([*computed])
        return measured

    trial_of_all = run_start.trial_of_all
    monkeypatch.setattr("charrnn.setup.wiring.divided", counting)
    monkeypatch.setattr(run_start, "trial_of_all", trying)
    train(3, *texts, "--max-time", "0.2s", "--set", "training.batch_size=7", "--out", "run")
    assert len(trials) == 2
    for tried in trials:
        assert tried
        assert sorted(tried) == sorted(len(tried) // 3 * [(0, 2), (1, 2), (2, 3)])


def test_more_ranks_than_cores_are_reported(train, texts, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.system.ranks.available_cores", lambda: [0, 1])
    chosen = [*texts, *TINY, "--max-steps", 1]
    outcome = train(4, *chosen, "--out", "four")
    assert "4 ranks share 2 cores, and wait for each other: mpirun -n 2 uses them" in outcome.err
    assert "4 ranks of 1 worker" in outcome.err
    assert "wait for each other" not in train(2, *chosen, "--out", "two").err


def test_workers_that_cores_limit_are_reported(train, texts, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.system.ranks.available_cores", lambda: [0, 1])
    chosen = [*texts, *TINY, "--max-steps", 1, "--set"]
    outcome = train(2, *chosen, "training.workers=4", "--out", "four")
    assert "training.workers=4: each rank has 1 core, and so 1 worker." in outcome.err
    assert "and so" not in train(2, *chosen, "training.workers=1", "--out", "one").err


def test_a_rank_with_another_text_is_named(train, texts, monkeypatch) -> None:
    def prepare(config, known):
        Path("2.txt").write_text(RHYME * 2 + "x")
        return prepared(config, known)

    prepared = follower.prepare
    monkeypatch.setattr(follower, "prepare", prepare)
    outcome = train(2, *texts, *TINY, "--out", "run", code=3)
    assert "error: rank 1 on " in outcome.err
    assert "is not the text of rank 0: it has" in outcome.err


def test_a_rank_without_the_text_is_named(train, texts, monkeypatch) -> None:
    def prepare(config, known):
        Path("2.txt").unlink(missing_ok=True)
        return prepared(config, known)

    prepared = follower.prepare
    monkeypatch.setattr(follower, "prepare", prepare)
    outcome = train(3, *texts, *TINY, "--out", "run", code=3)
    assert outcome.err.count("error:") == 1
    assert "there is no file" in outcome.err
    assert not Path("run").exists()
    train(1, *texts, *TINY, "--max-steps", 1, "--out", "other", code=3)


def test_shares_that_do_not_fit(train, texts) -> None:
    outcome = train(3, *texts, *TINY, "--batch-size", 2, "--out", "run", code=2)
    assert "3 ranks cannot share 2 lanes." in outcome.err
    assert "--batch-size 3" in outcome.err
    assert not Path("run").exists()
    outcome = train(3, *texts, *TINY, "--batch-size", 7, "--max-steps", 1, "--out", "run")
    assert "those with 2 wait for those with 3" in outcome.err
    assert "--batch-size 6 or 9" in outcome.err
    outcome = train(3, *texts, *TINY, "--batch-size", 6, "--max-steps", 1, "--out", "six")
    assert "cannot share" not in outcome.err


def test_standard_input_is_refused(train) -> None:
    assert "give the text as a file" in train(2, "-", *TINY, "--out", "run", code=2).err


def test_a_failure_of_one_rank_in_a_step_ends_all(train, texts, charrnn, monkeypatch) -> None:
    """Rank 0 cannot finish the step, and does not wait."""
    divided = parallel.divided

    def failing(objective, ranks, batch_size):
        def fail(*arguments):
            raise MemoryError

        return divided(fail if ranks.rank == 1 else objective, ranks, batch_size)

    monkeypatch.setattr("charrnn.setup.wiring.divided", failing)
    with launcher(2, monkeypatch) as raised:
        outcome = charrnn("train", *texts, *TINY, "--out", "run")
    assert [type(error) for error in raised] == [MemoryError]
    assert outcome.code == 1
    assert checkpoint("run")


def rank_of(size: int, cores: list[list[int]], monkeypatch) -> list[Ranks]:
    """Ranks of one machine that may use these cores."""
    own = iter(cores)
    found: list[Ranks] = []
    monkeypatch.setattr("charrnn.system.ranks.available_cores", lambda: next(own))
    threads = [Thread(target=lambda mpi=mpi: found.append(Ranks(mpi))) for mpi in group(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize(
    ("cores", "each"),
    [
        ([[0, 1, 2, 3]] * 2, 2),  # shared by both
        ([[0, 1], [2, 3]], 2),  # their own
        ([[0, 1, 2, 3]] * 3, 1),
        ([[0]] * 4, 1),  # more ranks than cores
        ([[0, 1, 2, 3], [2, 3]], 1),
    ],
)
def test_cores_are_divided_among_ranks(monkeypatch, cores: list[list[int]], each: int) -> None:
    """Threads of all ranks together are at most as many as cores, or one per rank."""
    for ranks in rank_of(len(cores), cores, monkeypatch):
        assert ranks.cores == each


def test_threads_are_never_more_than_the_cores_of_a_rank(train, texts, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.system.ranks.available_cores", lambda: [*range(6)])
    train(
        2,
        *texts,
        *TINY,
        *settings("training.workers=9", "training.batch_size=8"),
        "--max-steps",
        1,
        "--out",
        "run",
    )
    assert "\n  workers: 3\n" in Path("run/config.yaml").read_text()


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, None),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "8"}, (2, 8, False)),
        (
            {
                "OMPI_COMM_WORLD_RANK": "4",
                "OMPI_COMM_WORLD_LOCAL_RANK": "0",
                "OMPI_COMM_WORLD_SIZE": "8",
            },
            (4, 8, True),
        ),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"}, None),
        ({"PMI_RANK": "0", "PMI_SIZE": "4"}, (0, 4, True)),
        ({"PMI_RANK": "0", "PMI_SIZE": "four"}, None),
        (
            {"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "4"},
            (3, 4, False, False),
        ),
        # srun --mpi=pmi2
        (
            {
                "PMI_RANK": "4",
                "PMI_SIZE": "8",
                "SLURM_PROCID": "4",
                "SLURM_LOCALID": "0",
                "SLURM_STEP_NUM_TASKS": "8",
            },
            (4, 8, True, False),
        ),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, None),  # the shell of sbatch
        # mpirun in a job of Slurm
        (
            {
                "SLURM_PROCID": "0",
                "SLURM_STEP_NUM_TASKS": "2",
                "OMPI_COMM_WORLD_RANK": "5",
                "OMPI_COMM_WORLD_SIZE": "8",
            },
            (5, 8, False),
        ),
    ],
)
def test_launchers_are_recognized(monkeypatch, environment, found) -> None:
    for names in VARIABLES:
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert launched() == (None if found is None else Launched(*found))


@pytest.mark.parametrize("command", ["sample", "sweep", "inspect", "runs"])
def test_other_commands_are_refused_by_rank_0(charrnn, monkeypatch, command: str) -> None:
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "4")
    outcome = charrnn(command, "runs/a")
    assert outcome.code == 2
    assert f"started `charrnn {command}` 4 times" in outcome.err


def test_the_import_of_mpi_is_not_needed_without_a_launcher(train, texts, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    train(1, *texts, *TINY, "--max-steps", 1, "--out", "run")


def test_without_mpi4py_the_extra_is_named(charrnn, texts, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "4")
    outcome = charrnn("train", *texts, *TINY, "--out", "run")
    assert outcome.code == 2
    assert "4 processes of an MPI launcher needs mpi4py, which is not installed" in outcome.err
    assert not Path("run").exists()


def test_evaluations_are_divided(train, texts, monkeypatch) -> None:
    """Each rank scores its lanes only, and the score is that of all."""
    lanes: list[int] = []
    run_threads = Scorer._run_threads

    def counting(self, params, x, y, h):
        lanes.append(len(h))
        return run_threads(self, params, x, y, h)

    monkeypatch.setattr(Scorer, "_run_threads", counting)
    chosen = [*texts, *TINY, *settings("data.sequences=lines", "evaluation.count=1")]
    train(1, *chosen, "--max-steps", 2, "--out", "1")
    whole, lanes[:] = [*lanes], []
    train(3, *chosen, "--max-steps", 2, "--out", "3")
    assert sum(lanes) == sum(whole)
    assert max(lanes) <= -(-max(whole) // 3)
    scores = [
        [line["validation_nats_per_character"] for line in lines(size, "evaluation")]
        for size in ("1", "3")
    ]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)


def test_ranks_that_round_differently_do_not_drift_apart(train, texts, monkeypatch) -> None:
    """An evaluation, as after the last step, gives all the state of rank 0."""
    followers: list[follower.Follower] = []
    update = follower.Follower._update

    def updating_otherwise(self, learning_rate: float) -> None:
        update(self, learning_rate)
        self._state.params.flat *= 1.001
        followers.append(self)

    monkeypatch.setattr(follower.Follower, "_update", updating_otherwise)
    train(2, *texts, *TINY, *settings("training.workers=1"), "--max-steps", 4, "--out", "run")
    own, last = followers[-1]._state, checkpoint("run")
    assert len(followers) == 4
    assert np.array_equal(own.params.layers[0].W, last["model.W"])
    assert np.array_equal(own.h, last["state.h"])


def test_the_memory_of_a_machine_is_for_all_of_its_ranks(train, texts, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.setup.preparation.physical_memory", lambda: 40_000.0)
    outcome = train(2, *texts, *TINY, "--out", "run", code=3)
    assert "in 2 lanes needs about" in outcome.err
    assert "each rank here has 20 kB" in outcome.err
