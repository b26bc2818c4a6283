"""A sweep in one process: what it tries, what it prunes, what it continues and what it refuses."""

import errno
import os
import platform
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import current_thread, main_thread
from time import sleep
from typing import Any

import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from charrnn.results import RunState
from charrnn.runs import directory as run_directory
from charrnn.setup.run_summary import summarize
from charrnn.sweeps import claims, worker
from charrnn.sweeps.storage import Storage
from charrnn.sweeps.study import load_study
from tests.sweeps import arguments, outcomes, trials

SHORT = ("--max-steps", 6)


def test_trials_are_runs(charrnn, text_file: Path) -> None:
    outcome = charrnn(*arguments(text_file, "--trials", 2, *SHORT))
    assert outcome.code == 0
    listed = charrnn("runs", "sweeps/tries", "--csv").out
    assert listed.count("sweeps/tries/trial-") == 2
    for trial in trials():
        assert charrnn("sample", trial.user_attrs["run"], "--length", 5).code == 0
        config = charrnn("config", "-c", f"{trial.user_attrs['run']}/config.yaml").out
        for key, value in trial.params.items():
            assert f"{key.rpartition('.')[2]}: {value}" in config
        assert (trial.state, trial.user_attrs["steps"]) == (TrialState.COMPLETE, 6)
        assert sorted(trial.intermediate_values) == [1, 2, 3]
        assert min(trial.intermediate_values.values()) == trial.value
        assert f"trial {trial.number}: {trial.value:.3f} nats" in outcome.err


def test_one_worker_with_a_seed_is_reproducible(charrnn, text_file: Path) -> None:
    found = []
    for name in ("one", "two", "three"):
        more = ["--seed", 8, "--trials", 3] if name == "three" else ["--trials", 11]
        line = arguments(text_file, *more, "--sampler", "tpe", "--max-steps", 2)
        assert charrnn("-q", *line, "--set", "evaluation.count=1", "--study", name).code == 0
        found.append(outcomes(load_study(name).get_trials()))
    assert found[0] == found[1]
    assert not any(one[1] == three[1] for one, three in zip(found[0][:3], found[2], strict=True))
    assert len({str(params) for _, params, _ in found[0]}) == 11


def test_the_best_is_repeated_with_other_seeds(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--trials", 3, "--seeds", 3, *SHORT)
    assert charrnn(*line).code == 0
    *tried, one, two = trials()
    best = min(tried, key=lambda trial: trial.value)
    assert [trial.user_attrs.get("repeats") for trial in tried] == [None] * 3
    for repeat, seed in ((one, 8), (two, 9)):
        assert (repeat.user_attrs["repeats"], repeat.params) == (best.number, best.params)
        assert repeat.user_attrs["seed"] == seed
        assert f"seed: {seed}" in Path(repeat.user_attrs["run"], "config.yaml").read_text()
    assert one.value != two.value
    # more trials of the same study, and a repeat of the best only if it is another one
    assert charrnn(*line, "--trials", 4).code == 0
    more = trials()[5:]
    assert "repeats" not in more[0].user_attrs
    assert len(more) == (3 if more[0].value < best.value else 1)


@pytest.mark.parametrize("more", [[], ["--sampler", "tpe"], ["--jobs", "2"]])
def test_a_space_that_is_used_up_ends_the_sweep(charrnn, text_file: Path, more: list[str]) -> None:
    line = arguments(text_file, "--trials", 9, "--seeds", 2, *SHORT, *more)
    Path("space.yaml").write_text("model: {hidden_size: [8, 9], layers: {range: [1, 2]}}")
    outcome = charrnn(*line)
    assert outcome.code == 0
    assert "the space has 4 combinations of values, after which the sweep ends" in outcome.err
    *tried, repeated = trials()
    assert {tuple(trial.params.values()) for trial in tried} == {(8, 1), (8, 2), (9, 1), (9, 2)}
    assert (len(tried), "repeats" in repeated.user_attrs) == (4, True)
    assert charrnn(*line).code == 0
    assert len(trials()) == 5  # nothing is left to do


def test_pruning_stops_what_is_worse_than_the_median(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--sampler", "grid", "--pruner", "median", "--max-steps", 30)
    Path("space.yaml").write_text(
        "optimizer.learning_rate: [0.01, 0.011, 0.012, 0.013, 0.014, 1e-7]"
    )
    outcome = charrnn(*line, "--set", "evaluation.count=10", "--set", "model.hidden_size=8")
    assert outcome.code == 0
    *good, bad = trials()
    assert [trial.state for trial in good] == [TrialState.COMPLETE] * 5
    assert bad.state is TrialState.PRUNED
    assert bad.user_attrs["steps"] < 30
    assert "trial 5: pruned, " in outcome.err
    run = bad.user_attrs["run"]
    assert charrnn("train", "--resume", run).code == 0  # saved as usual


def test_a_divergence_is_a_result(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--sampler", "grid", *SHORT, "--set", "training.clip.by=none")
    Path("space.yaml").write_text(
        "optimizer: [{name: sgd, learning_rate: 1e38}, {name: sgd, learning_rate: 0.1}]"
    )
    outcome = charrnn(*line, "--set", "model.hidden_size=8", "--set", "model.activation=relu")
    assert outcome.code == 0
    diverged, good = trials()
    assert diverged.state is TrialState.PRUNED
    assert diverged.value is None
    assert diverged.user_attrs["failure"].startswith("training diverged at step")
    assert "trial 0: pruned (training diverged at step" in outcome.err
    assert good.state is TrialState.COMPLETE


def test_values_that_do_not_fit_together_are_a_failed_trial(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--sampler", "grid", *SHORT, "--set", "model.hidden_size=8")
    line.remove("--set=training.window=8")
    Path("space.yaml").write_text("training.window: [8, 4]\ntraining.stride: [4, 8]\n")
    assert charrnn(*line).code == 0
    found = trials()
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]
    assert "should be at most training.window, 4" in found[3].user_attrs["failure"]


def test_what_is_wrong_is_an_error_before_any_trial(charrnn, text_file: Path) -> None:
    line = arguments(text_file, *SHORT)
    none = ("--set", "data.validation_fraction=0")
    for more, code, said in (
        (["sweep", "nowhere.txt", "--space", "space.yaml"], 3, "nowhere.txt"),
        (["sweep", "-", "--space", "space.yaml"], 2, "every trial reads the text"),
        ([*line, *none], 2, "nothing is held out"),
        ([*line, "--lr", "1e-3"], 2, "optimizer.learning_rate is varied, and given"),
        ([*line, "--study", "a/b"], 2, "--study a/b is not a name for a folder"),
        ([*line, "--sampler", "grid"], 2, "optimizer.learning_rate can have any value"),
        ([*line, "--storage", "oracle://x"], 2, "oracle:// is not a database"),
        ([*line, "--storage", "space.yaml"], 2, "space.yaml is not the journal of a study"),
        ([*line, "--storage", "sqlite://"], 2, "would be in memory"),
        ([*line, "--storage", "postgresql://u:secret@localhost:1/x"], 1, "u:***@localhost:1/x"),
        (["sweep", str(text_file)], 2, "--space is missing"),
    ):
        outcome = charrnn(*more)
        assert (outcome.code, said in outcome.err) == (code, True), outcome.err
        assert "secret" not in outcome.err
    assert not Path("sweeps").exists()


def test_another_plan_is_another_study(charrnn, text_file: Path, tmp_path: Path) -> None:
    line = arguments(text_file, "--trials", 1, *SHORT)
    assert charrnn(*line).code == 0
    assert charrnn(*line).code == 0  # nothing is left to do
    other = tmp_path / "other.txt"
    other.write_text(text_file.read_text() + "more")
    moved = tmp_path / "moved.txt"
    moved.write_text(text_file.read_text())
    for more, said in (
        (["--set", "model.layers=2"], "model.layers was 1 and is now 2"),
        (["--max-steps", 7], "training.max_steps was 6 and is now 7"),
        (["--sampler", "tpe"], "--sampler was random and is now tpe"),
    ):
        outcome = charrnn(*line, *more)
        assert outcome.code == 2
        assert said in outcome.err
        assert "--study NAME" in outcome.err
    assert "the text is another one" in charrnn("sweep", str(other), *line[2:]).err
    assert charrnn("sweep", str(moved), *line[2:]).code == 0  # the same, wherever it is
    Path("space.yaml").write_text("model.layers: [1, 2]")
    outcome = charrnn(*line, "--set", "model.hidden_size=8")
    assert "the space of model.layers was none and is now" in outcome.err
    Path("sweeps/tries/study.journal").unlink()
    outcome = charrnn(*line, "--set", "model.hidden_size=8")
    assert "sweeps/tries has runs already, and the study in" in outcome.err
    assert len([*Path("sweeps/tries").glob("trial-*")]) == 1


@pytest.mark.parametrize("storage", ["shared.journal", "sqlite:///study.db"])
def test_a_study_can_be_stored_elsewhere(charrnn, text_file: Path, storage: str) -> None:
    line = arguments(text_file, "--trials", 1, *SHORT, "--storage", storage)
    assert charrnn(*line).code == 0
    assert [trial.state for trial in trials(storage)] == [TrialState.COMPLETE]
    assert not Path("sweeps/tries/study.journal").exists()


def test_a_torn_journal_is_repaired(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--trials", 1, *SHORT)
    assert charrnn(*line).code == 0
    with Path("sweeps/tries/study.journal").open("a") as journal:
        journal.write('{"op_code":2,"stu')
    assert charrnn(*line, "--trials", 2).code == 0
    assert [trial.state for trial in trials()] == [TrialState.COMPLETE] * 2


@pytest.mark.parametrize("content", [b"one line", b"\0\1\2", b"5", b'{"op_cod": 1}'])
def test_a_file_of_another_kind_is_left_alone(charrnn, text_file: Path, content: bytes) -> None:
    """A line without an end is not taken for a torn one of a journal."""
    Path("mine").write_bytes(content)
    line = arguments(text_file, "--trials", 1, *SHORT, "--storage", "mine")
    for found in charrnn(*line), charrnn("sweep", "--show", "tries", "--storage", "mine"):
        assert (found.code, found.out) == (2, "")
        assert "mine is not the journal of a study." in found.err
    assert Path("mine").read_bytes() == content
    assert not Path(".mine.turn").exists()


def test_a_trial_whose_run_was_never_saved_begins_again(charrnn, text_file: Path) -> None:
    line = arguments(text_file, "--trials", 1, *SHORT)
    assert charrnn(*line).code == 0
    journal = Path("sweeps/tries/study.journal")
    told = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(one for one in told if b'"op_code":6' not in one))
    study = load_study("tries", journal.as_posix())
    trial = study.get_trials()[0]
    study._storage.set_trial_user_attr(trial._trial_id, "worker", None)
    for checkpoint in Path("sweeps/tries/trial-0/checkpoints").iterdir():
        checkpoint.unlink()
    Path("sweeps/tries/trial-0/config.yaml").unlink()
    Path("sweeps/tries/trial-0/metrics.jsonl").unlink()
    again = charrnn(*line)
    assert again.code == 0, again.err
    assert "resumed" in again.err
    assert "already reported" not in again.err
    assert [one.state for one in trials()] == [TrialState.COMPLETE]


def test_a_full_disk_ends_a_sweep_that_the_same_command_continues(
    charrnn, text_file: Path, monkeypatch
) -> None:
    def write(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    line = arguments(text_file, "--trials", 2, *SHORT)
    with monkeypatch.context() as patch:
        patch.setattr(run_directory, "write_atomically", write)
        full = charrnn(*line)
    assert full.code == 1
    assert "trial-0 cannot be saved: No space left" in full.err
    assert "free some space, or repair the disk; then the same command continues" in full.err
    assert "--out" not in full.err
    assert charrnn(*line).code == 0
    assert [trial.state for trial in trials()] == [TrialState.COMPLETE] * 2


def test_what_a_worker_could_not_write_any_more_is_done_again(
    charrnn, text_file: Path, monkeypatch
) -> None:
    """At once: its file says that it has ended, though its trial still has its name."""
    line = arguments(text_file, "--trials", 2, *SHORT)
    workers = Path("sweeps/tries/.workers")

    def append(journal: object, logs: list[dict[str, object]]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    original = worker.tell
    with monkeypatch.context() as patch:

        def tell(*told: Any) -> None:
            patch.setattr(JournalFileBackend, "append_logs", append)
            original(*told)

        patch.setattr(worker, "tell", tell)
        full = charrnn(*line)
    assert full.code == 1
    assert "No space left" in full.err
    assert "the same command continues the sweep" in full.err
    assert len([*workers.iterdir()]) == 1
    monkeypatch.setattr(claims, "LOST_SECONDS", 0.0)
    again = charrnn(*line)
    assert again.code == 0
    assert "waiting for" not in again.err
    assert [trial.state for trial in trials()] == [TrialState.COMPLETE] * 2
    assert not [*workers.iterdir()]


def test_a_run_of_another_trial_is_not_taken_for_its_own(charrnn, text_file: Path) -> None:
    """A journal that lost its last lines gives the number of a trial again."""
    line = arguments(text_file, "--trials", 1, *SHORT)
    assert charrnn(*line).code == 0
    run = Path("sweeps/tries/trial-0")
    shutil.copytree(run, run.with_name("trial-1"))
    for _ in range(2):  # the second time, the trial has been given back
        stuck = charrnn(*line, "--trials", 2)
        assert stuck.code == 2
        assert "trial-1 has a run that the study knows nothing of" in stuck.err
    run.with_name("trial-1").rename("elsewhere")
    assert charrnn(*line, "--trials", 2).code == 0
    assert [trial.state for trial in trials()] == [TrialState.COMPLETE] * 2


def test_the_trial_of_a_silent_machine_is_taken_over(charrnn, text_file: Path, monkeypatch) -> None:
    """Its run is out of reach, so it begins again."""
    line = arguments(text_file, "--trials", 2, *SHORT)
    assert charrnn(*line, "--trials", 1).code == 0
    study = load_study("tries")
    lost = study.ask()
    far = {"id": "far", "host": f"not-{platform.node()}", "lock": "/far"}
    lost.set_user_attr("worker", far)
    lost.set_user_attr("run", "sweeps/tries/trial-1")
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(claims, "monotonic", lambda: float(next(clock)))
    outcome = charrnn(*line)
    assert outcome.code == 0
    assert "waiting for 1 trial of other workers" in outcome.err
    assert "trial 1: " in outcome.err
    assert [trial.state for trial in trials()] == [TrialState.COMPLETE] * 2


def test_a_worker_whose_trial_was_taken_leaves_it(charrnn, text_file: Path, monkeypatch) -> None:
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.01)
    original = claims.Worker.owns
    stolen, states = [], []

    def owns(self, trial) -> bool:
        if not stolen:
            stolen.append(trial.number)
            trial.set_user_attr("worker", {"id": "thief", "host": "far", "lock": "/far"})
        if current_thread() is main_thread():  # when training has ended
            states.append(summarize(Path("sweeps/tries/trial-0"), "")[0].state)
        return original(self, trial)

    monkeypatch.setattr(claims.Worker, "owns", owns)
    monkeypatch.setattr(claims, "LOST_SECONDS", 0.0)
    line = arguments(text_file, "--trials", 1, "--max-time", "3s")
    outcome = charrnn(*line)
    assert outcome.code == 0
    assert "note: trial 0 was taken over by another worker" in outcome.err
    (trial,) = trials()
    assert trial.state is TrialState.COMPLETE  # it was taken back, as the thief is silent
    assert outcome.err.count("nats in") == 1
    assert states == [RunState.STOPPED, RunState.COMPLETE]


@pytest.mark.parametrize("place", ["shared.journal", "sqlite:///study.db"])
def test_one_at_a_time_has_the_lock_of_a_study(place: str) -> None:
    inside: list[int] = []
    most = []

    def enter(number: int) -> None:
        storage = Storage(place)
        for _ in range(5):
            with storage.locked():
                inside.append(number)
                sleep(0.002)
                most.append(len(inside))
                inside.remove(number)
        storage.close()

    with ThreadPoolExecutor(4) as pool:
        [*pool.map(enter, range(4))]
    assert most == [1] * 20
