"""Several processes on one study: every trial ends exactly once, whoever is killed."""

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.postgres import postgres  # noqa: F401
from tests.sweeps import (
    arguments,
    has_begun,
    is_there,
    kill_at_work,
    members,
    outcomes,
    process,
    trials,
    until,
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
LONG = ("--max-time", "1.2s", "--set", "evaluation.count=2", "--set", "checkpoints.every=0.2s")


def endings() -> list[int]:
    """The trials that were ended, each as often as the journal says so."""
    lines = map(json.loads, Path("sweeps/tries/study.journal").read_text().splitlines())
    return [line["trial_id"] for line in lines if line["op_code"] == 6 and line["state"] != 0]


def check_kill(text: Path, storage: str | None, count: int, killed: int) -> None:
    """Of several workers some are killed, while they are at work."""
    wanted = count + killed + 1
    place = ["--storage", storage] if storage else []
    line = arguments(text, "--trials", wanted, *LONG, *place)
    with ExitStack() as stack:
        workers = [stack.enter_context(process(line)) for _ in range(count)]
        until(lambda: is_there(storage))
        for _ in range(killed):
            pid = kill_at_work(storage, used=0.5)
            assert next(one for one in workers if one.pid == pid).wait() == -signal.SIGKILL
        codes = [one.wait(120) for one in workers]
        said = "".join(one.communicate()[1] for one in workers)
    assert sorted(codes) == [-signal.SIGKILL] * killed + [0] * (count - killed), said
    found = trials(storage)
    assert [trial.number for trial in found] == [*range(wanted)]
    assert {trial.state for trial in found} == {TrialState.COMPLETE}
    assert all(trial.user_attrs["seconds"] >= 1.2 for trial in found)
    assert ", resumed\n" in said
    assert not [*Path("sweeps/tries/.workers").iterdir()]  # those of the killed ones neither
    if storage is None:
        assert sorted(endings()) == [*range(wanted)]


def test_every_trial_ends_once_though_two_of_four_workers_are_killed(text_file: Path) -> None:
    check_kill(text_file, None, count=4, killed=2)


def test_the_same_with_postgresql(text_file: Path, postgres: str) -> None:  # noqa: F811
    check_kill(text_file, postgres, count=3, killed=1)


def test_a_sweep_that_is_killed_and_continued_is_the_same(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--trials", 3, "--max-steps", 200)
    assert charrnn(*line).code == 0
    whole = outcomes(trials())
    os.rename("sweeps", "whole")
    with process(line) as worker:
        until(is_there)
        kill_at_work()
        assert worker.wait() == -signal.SIGKILL
    outcome = charrnn(*line)
    assert outcome.code == 0
    assert outcome.err.splitlines()[0].endswith(", resumed")
    assert outcomes(trials()) == whole


def test_jobs_are_saved_by_ctrl_c_and_leave_no_process(charrnn, text_file: Path) -> None:
    """One of them is killed before, and another one takes its trial over."""
    line = arguments(text_file, "--trials", 6, *LONG)
    with process([*line, "--jobs", "3"]) as parent:
        until(is_there)
        killed = kill_at_work()
        assert parent.stderr
        note = until(lambda: next(line for line in parent.stderr if line.startswith("note: ")))
        assert f"(process {killed}) was killed by signal 9; another one takes over" in note
        until(lambda: sum(map(has_begun, trials())) > 2)
        os.killpg(parent.pid, signal.SIGINT)
        _, said = parent.communicate(timeout=60)
        assert parent.returncode == 130, said
        until(lambda: not members(parent.pid))
    assert "the same command continues the sweep" in said
    interrupted = [
        trial.number
        for trial in trials()
        if not trial.state.is_finished() and not trial.user_attrs["worker"]
    ]
    assert interrupted
    assert all(f"trial {number}: saved, to go on later" in said for number in interrupted)
    before = {number: log(number) for number in interrupted}
    assert charrnn(*line).code == 0
    assert [trial.state for trial in trials()] == [TrialState.COMPLETE] * 6
    assert sorted(endings()) == [*range(6)]
    for number, lines in before.items():  # it went on from there
        assert log(number)[: len(lines)] == lines


def log(number: int) -> list[str]:
    return Path(f"sweeps/tries/trial-{number}/metrics.jsonl").read_text().splitlines()


def test_jobs_end_with_the_process_that_started_them(text_file: Path) -> None:
    with process(arguments(text_file, "--trials", 3, *LONG, "--jobs", 2)) as parent:
        until(lambda: is_there() and any(map(has_begun, trials())))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        until(lambda: not members(parent.pid))
    given_back = [trial for trial in trials() if trial.state is TrialState.RUNNING]
    assert given_back
    assert all(trial.user_attrs["worker"] is None for trial in given_back)
