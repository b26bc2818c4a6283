"""Failing and repeated saves, the order of writes, and the lock of a run."""

import errno
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.events import Evaluated, Noted, Stepped
from charrnn.report import metrics as report_metrics
from charrnn.report.metrics import Metrics
from charrnn.runs import directory as run_directory
from charrnn.runs.directory import RunDirectory
from charrnn.runs.emitter import Emitter
from charrnn.runs.resume import resumed_run
from charrnn.runs.saving import Saver
from charrnn.runs.start import new_run
from charrnn.runs.stop import stop_requests
from charrnn.system.files import write_atomically
from charrnn.system.signals import SIGNALS
from charrnn.training.checkpoint import load
from charrnn.training.trainer import Divergence
from charrnn.training.workers import worker_threads
from tests.conftest import TINY
from tests.runs import train, trainer_for
from tests.test_divergence import Poison, config_of

LEFTOVER = ".charrnn-0123456789abcdef.tmp"
LAST, BEST = (f"checkpoints/{name}.safetensors" for name in ("last", "best"))


class Disk:
    """Replaces checkpoint writing: records it, and fails between two steps."""

    def __init__(self, monkeypatch, full: range = range(0)) -> None:
        self.step, self.full = 0, full
        self.written: list[tuple[int, str]] = []
        self.remarks: list[str] = []
        monkeypatch.setattr(run_directory, "write_atomically", self.write)

    def __call__(self, event: object) -> None:
        if isinstance(event, Stepped):
            self.step = event.step
        if isinstance(event, Noted):
            self.remarks.append(event.note)

    def write(self, path: Path, content: bytes) -> None:
        if self.step in self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self.written.append((self.step, path.stem))
        write_atomically(path, content)


def log_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_last_is_written_last(tmp_path, text_file, monkeypatch) -> None:
    """A step is not saved before its evaluation, which a kill would lose."""
    disk = Disk(monkeypatch)
    train(new_run(config_of(text_file, "checkpoints.every=1e-6"), str(tmp_path / "run")), [disk])
    saves = {
        step: [name for _, name in group]
        for step, group in itertools.groupby(disk.written, key=lambda written: written[0])
    }
    assert saves.pop(0) == ["last"]
    for step in (20, 40, 60):
        names = saves.pop(step)
        assert names in (["best", f"step-{step}", "last"], [f"step-{step}", "last"])
    assert len(saves) == 57
    assert all(names == ["last"] for names in saves.values())


def test_a_save_is_due_when_its_time_has_passed_since_the_last(tmp_path, text_file) -> None:
    run = new_run(config_of(text_file, "checkpoints.every=10"), str(tmp_path / "run"))
    save, progress = Saver(run, Emitter([])), run.state.progress
    save.begin()
    due = []
    for seconds in (9.0, 11.0, 12.0):
        progress.seconds = seconds
        due.append(save.due)
        if save.due:
            save("last")
    run.directory.release()
    assert due == [False, True, False]


def test_the_best_checkpoint_waits_for_disk_space(tmp_path, text_file, monkeypatch) -> None:
    train(new_run(config_of(text_file, "evaluation.count=2"), str(tmp_path / "whole")), [])
    disk = Disk(monkeypatch, full=range(25, 45))
    config = config_of(text_file, "evaluation.count=2", "checkpoints.every=1e-6")
    seen = []

    def watch(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 50:
            seen.append(load(tmp_path / "run" / BEST).state.progress.step)

    train(new_run(config, str(tmp_path / "run")), [disk, watch])
    assert seen == [30]
    for name in (LAST, BEST):
        one, other = (load(tmp_path / run / name).params.flat for run in ("whole", "run"))
        assert np.array_equal(one, other)
    first, best, saved = disk.remarks  # noted once, and again when a best checkpoint has to wait
    assert first.startswith("step 25 could not be saved: No space left on device")
    assert best.startswith("step 30 could not be saved")
    assert saved == "step 45 was saved: writing works again."


def test_unsaved_checkpoints_go_elsewhere_at_the_end(tmp_path, text_file, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    disk = Disk(monkeypatch, full=range(5, 100))
    run = new_run(config_of(text_file), str(tmp_path / "run"))
    original = disk.write

    def only_elsewhere(path: Path, content: bytes) -> None:
        write_atomically(path, content) if "charrnn-" in str(path) else original(path, content)

    monkeypatch.setattr(run_directory, "write_atomically", only_elsewhere)
    with pytest.raises(CharrnnError, match="best and step-60 and last went to") as caught:
        train(run, [disk])
    (elsewhere,) = tmp_path.glob("charrnn-*")
    assert str(elsewhere) in str(caught.value)
    assert load(elsewhere / LAST).state.progress.step == 60
    assert load(elsewhere / BEST).state.progress.best_score is not None
    assert load(tmp_path / "run" / LAST).state.progress.step == 0


def test_nowhere_to_write_to(tmp_path, text_file, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    disk = Disk(monkeypatch, full=range(5, 100))
    with pytest.raises(CharrnnError, match="nor elsewhere: No space left"):
        train(new_run(config_of(text_file), str(tmp_path / "run")), [disk])
    assert not list(tmp_path.glob("charrnn-*"))
    monkeypatch.undo()
    os.chdir(tmp_path)
    assert train(resumed_run(str(tmp_path / "run"), [], {}), []).steps == 60


def test_a_waiting_best_checkpoint_survives_a_divergence(tmp_path, text_file, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Poison(monkeypatch, {31}, times=1)

    class Full(Disk):
        def write(self, path: Path, content: bytes) -> None:
            if "charrnn-" in str(path):
                write_atomically(path, content)
            else:
                super().write(path, content)

    disk = Full(monkeypatch, full=range(5, 100))
    with pytest.raises(Divergence) as caught:
        train(new_run(config_of(text_file), str(tmp_path / "run")), [disk])
    (elsewhere,) = tmp_path.glob("charrnn-*")
    assert str(elsewhere) in caught.value.hint
    assert load(elsewhere / BEST).state.progress.step == 20


@pytest.mark.parametrize("full", [range(0), range(5, 35)])
def test_a_rollback_does_not_depend_on_a_full_disk(tmp_path, text_file, monkeypatch, full) -> None:
    """Weights, best checkpoint and log are the same."""
    found = []
    for name, room in (("whole", range(0)), ("run", full)):
        with monkeypatch.context() as patch:
            Poison(patch, {31}, times=1)
            config = config_of(text_file, "training.on_divergence=rollback")
            run = new_run(config, str(tmp_path / name))
            metrics = Metrics(run.directory.metrics, 0, 1)
            train(run, [metrics, Disk(patch, room)])
            metrics.close()
        checkpoints = [load(tmp_path / name / path) for path in (LAST, BEST)]
        steps = [line["step"] for line in log_of(tmp_path / name) if line["event"] == "step"]
        assert steps == list(range(1, 61))
        found.append([checkpoint.params.flat.tobytes() for checkpoint in checkpoints])
    assert found[0] == found[1]


@pytest.mark.parametrize("how", ["stop", "rollback"])
def test_another_run_in_the_same_directory_is_not_touched(
    tmp_path, text_file, monkeypatch, how
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    other, run = tmp_path / "other", tmp_path / "run"
    trained = new_run(config_of(text_file, "training.seed=9"), str(other))
    metrics = Metrics(trained.directory.metrics, 0, 1)
    train(trained, [metrics])
    metrics.close()
    before = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    Poison(monkeypatch, {31}, times=1)
    started = new_run(config_of(text_file, f"training.on_divergence={how}"), str(run))
    metrics = Metrics(started.directory.metrics, 0, 1)

    def swap(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 25 and other.exists():
            os.rename(run, tmp_path / "moved")
            os.rename(other, run)

    with pytest.raises(CharrnnError) as caught:
        train(started, [metrics, swap])
    metrics.close()
    os.rename(run, other)
    assert {path: path.read_bytes() for path in other.rglob("*") if path.is_file()} == before
    if how == "rollback":
        assert "went to" in str(caught.value)
        steps = [line["step"] for line in log_of(tmp_path / "moved") if line["event"] == "step"]
        assert steps == list(range(1, 61))


def test_the_log_is_safe_before_each_checkpoint(tmp_path, text_file, monkeypatch) -> None:
    """The directory is synced after the checkpoint."""
    run = new_run(config_of(text_file, "training.max_steps=20"), str(tmp_path / "run"))
    metrics, order = Metrics(run.directory.metrics, 0, 1), []
    fsync, rename = os.fsync, os.replace

    def note(number: int) -> None:
        order.append(Path(os.readlink(f"/proc/self/fd/{number}")).name.split(".")[0] or "tmp")
        fsync(number)

    def note_rename(source: object, target: Path) -> None:
        order.append(target.stem)
        rename(source, target)

    monkeypatch.setattr("os.fsync", note)
    monkeypatch.setattr("os.replace", note_rename)
    train(run, [metrics])
    metrics.close()
    first = order.index("last") - 2
    assert order[first : first + 4] == ["metrics", "tmp", "last", "checkpoints"]
    assert order.count("metrics") == len([name for name in order if name == "last"])


class Faulty:
    """A disk whose log files accept nothing, or half a line, while it is bad."""

    def __init__(self, monkeypatch, half: bool = False) -> None:
        self.half, self.bad = half, False
        monkeypatch.setattr(report_metrics, "open", self._open, raising=False)

    def _open(self, file, *arguments, **options):
        opened = open(file, *arguments, **options)  # noqa: SIM115 - the log closes it
        return FaultyFile(self, opened) if isinstance(file, Path) else opened


class FaultyFile:
    """A file on such a disk."""

    def __init__(self, disk: Faulty, file) -> None:
        self.disk, self.file = disk, file

    def write(self, content: bytes) -> int:
        if not self.disk.bad:
            return self.file.write(content)
        if self.disk.half:
            return self.file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    def __getattr__(self, name: str):
        return getattr(self.file, name)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("stop", [0, 30])
def test_lines_wait_and_are_never_cut(tmp_path, text_file, monkeypatch, half, stop) -> None:
    run = new_run(config_of(text_file), str(tmp_path / "run"))
    log_disk = Faulty(monkeypatch, half)
    metrics = Metrics(run.directory.metrics, 0, 1)

    def fault(event: object) -> None:
        if isinstance(event, Stepped):
            log_disk.bad = event.step >= 8 and (event.step < stop or not stop)
            assert len(log_of(tmp_path / "run")) > 0

    train(run, [metrics, fault])
    metrics.close()
    assert (metrics.unwritten == 0) if stop else (metrics.unwritten > 50)
    steps = [line["step"] for line in log_of(tmp_path / "run") if line["event"] == "step"]
    assert steps == list(range(1, 61 if stop else 9))


def test_waiting_lines_are_written_before_a_save_and_at_the_end(tmp_path, monkeypatch) -> None:
    log_disk = Faulty(monkeypatch)
    metrics = Metrics(tmp_path / "log", 0, 1)
    log_disk.bad = True
    metrics(Evaluated(3, 0.1, 1.0, None, best=True))
    log_disk.bad = False
    metrics.flush()
    assert json.loads((tmp_path / "log").read_text())["step"] == 3
    log_disk.bad = True
    metrics(Evaluated(4, 0.1, 1.0, None, best=True))
    log_disk.bad = False
    metrics.close()
    assert metrics.unwritten == 0
    assert len((tmp_path / "log").read_text().splitlines()) == 2


@pytest.mark.parametrize("torn", ['{"event": "step", "step": 5}', '{"event": "st', "[1]\n", "\n"])
def test_a_torn_line_is_cut_off(tmp_path, torn) -> None:
    path = tmp_path / "log"
    path.write_text('{"step": 4}\n' + torn)
    Metrics(path, last_step=10, every_steps=1).close()
    assert path.read_text() == '{"step": 4}\n'


def test_one_process_at_a_time(tmp_path, text_file) -> None:
    path = str(tmp_path / "run")
    train(new_run(config_of(text_file), path), [])
    held = RunDirectory.existing(path)
    for attempt in (lambda: resumed_run(path, [], {}), lambda: new_run(config_of(text_file), path)):
        with pytest.raises(
            UsageError, match=rf"is in use: process {os.getpid()} on .* is training in it"
        ):
            attempt()
    held.release()
    (tmp_path / "other").write_text("another text " * 200)
    for _ in range(2):  # a refused resume releases it
        with pytest.raises(InputError, match="of the text that the run"):
            resumed_run(path, [str(tmp_path / "other")], {"max_steps": 90})
    (tmp_path / "run/checkpoints" / LEFTOVER).touch()
    assert train(resumed_run(path, [], {"max_steps": 70}), []).steps == 70
    assert not list((tmp_path / "run/checkpoints").glob(".*"))


@pytest.mark.parametrize("key", ["precision", "window", "batch_size", "max_step"])
def test_only_limits_change_when_a_run_is_resumed(tmp_path, text_file, key) -> None:
    path = str(tmp_path / "run")
    train(new_run(config_of(text_file), path), [])
    with pytest.raises(UsageError, match=f"`training.{key}` cannot change a run"):
        resumed_run(path, [], {key: 16, "max_steps": 70})
    longer = resumed_run(path, [], {"max_steps": 70, "max_time": 99, "patience": 5})
    longer.directory.release()
    assert longer.config.training.patience == 5


def test_a_run_that_was_faster_is_noticed_after_locking(tmp_path, monkeypatch) -> None:
    lock = run_directory.Lock

    def slow(path: Path) -> object:
        (path.parent / LAST).touch()
        return lock(path)

    monkeypatch.setattr(run_directory, "Lock", slow)
    with pytest.raises(UsageError, match="already holds a run"):
        RunDirectory.create(str(tmp_path / "run"), "name")


def test_a_run_killed_at_its_start_can_start_again(tmp_path) -> None:
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    for name in ("metrics.jsonl", LEFTOVER):
        (tmp_path / "run" / name).touch()
    (tmp_path / "run/.lock").write_text("process 77 on a.machine\n")
    RunDirectory.create(str(tmp_path / "run"), "name").release()
    assert not list((tmp_path / "run").glob("*.tmp"))


def test_a_lock_follows_no_link(tmp_path, text_file) -> None:
    train(new_run(config_of(text_file), str(tmp_path / "run")), [])
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "run/.lock").unlink()
    (tmp_path / "run/.lock").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is not a lock"):
        resumed_run(str(tmp_path / "run"), [], {"max_steps": 90})
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_lost_best_is_reported_and_replaced(tmp_path, text_file, damage: Callable) -> None:
    still = ["optimizer.name=sgd", "optimizer.learning_rate=1e-30"]
    train(new_run(config_of(text_file, *still), str(tmp_path / "run")), [])
    damage(tmp_path / "run" / BEST)
    resumed = resumed_run(str(tmp_path / "run"), [], {"max_steps": 80})
    assert "The next evaluation counts as the best" in " ".join(resumed.notes)
    ended = train(resumed, [])
    assert load(Path(ended.checkpoint)).state.progress.best_score is not None


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"no")])
def test_a_lost_last_is_reported_and_skipped(tmp_path, text_file, damage: Callable) -> None:
    train(new_run(config_of(text_file), str(tmp_path / "whole")), [])
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    damage(tmp_path / "run" / LAST)
    run = resumed_run(str(tmp_path / "run"), [], {"max_steps": 70})
    assert run.state.progress.step == 60
    assert "resuming from step-60.safetensors instead of last" in " ".join(run.notes)
    train(run, [])
    train(resumed_run(str(tmp_path / "whole"), [], {"max_steps": 70}), [])
    one, other = (load(tmp_path / name / LAST).params.flat for name in ("run", "whole"))
    assert np.array_equal(one, other)


def test_the_clock_of_a_resumed_run_continues(tmp_path, text_file) -> None:
    train(new_run(config_of(text_file), str(tmp_path / "run")), [])
    run = resumed_run(str(tmp_path / "run"), [], {"max_steps": 70})
    run.state.progress.seconds = 1000.0
    seconds = []
    train(run, [lambda e: seconds.append(e.seconds) if isinstance(e, Stepped) else None])
    assert 1000 < seconds[0] <= seconds[-1] < 1100


def test_ignored_signals_stay_ignored() -> None:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests(lambda: None) as stopped:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopped()
            os.kill(os.getpid(), signal.SIGTERM)
            assert stopped()
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGHUP, before[signal.SIGHUP])
    assert {number: signal.getsignal(number) for number in SIGNALS} == before


def evaluated(text_file: Path, out: Path, scores: list[float], patience: int) -> list:
    """The events of a run whose evaluations give these scores."""
    run = new_run(config_of(text_file, "evaluation.count=30"), str(out))
    with worker_threads(1) as workers:
        values = iter(scores)
        trainer = trainer_for(run.config, run.corpus, workers)
        trainer = replace(
            trainer,
            evaluate=lambda params: next(values),
            budget=replace(trainer.budget, patience=patience),
        )
        events = list(trainer.run(run.state, lambda: False))
    run.directory.release()
    return events


def test_patience_counts_from_the_best(tmp_path, text_file) -> None:
    events = evaluated(text_file, tmp_path / "run", [5, 6, 4, 4.5, 4.0, 3, 9, 9], patience=2)
    scores = [event.best for event in events if isinstance(event, Evaluated)]
    assert scores == [True, False, True, False, False]
    steps = [e.nats_per_character for e in events if isinstance(e, Stepped)]
    means = [e.train_nats_per_character for e in events if isinstance(e, Evaluated)]
    assert means == pytest.approx(np.reshape(steps, (5, -1)).mean(axis=1))


def test_a_validation_loss_that_is_not_finite_is_a_divergence(tmp_path, text_file) -> None:
    with pytest.raises(Divergence, match="the validation loss is nan"):
        evaluated(text_file, tmp_path / "run", [5.0, float("nan")], patience=9)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_before_the_first_save(number) -> None:
    """While the text is read from a silent pipe."""
    command = [sys.executable, "-m", "charrnn", "train", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        caught = 0
        while not caught >> signal.SIGTERM - 1 & 1:  # the later one of the two to be handled
            time.sleep(0.01)
            status = Path(f"/proc/{child.pid}/status").read_text()
            caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
        child.send_signal(number)
        assert child.stderr.read() == b"stopped: interrupted.\n"
        assert child.wait() == 130


def test_waiting_lines_are_rolled_back(tmp_path, text_file, monkeypatch) -> None:
    Poison(monkeypatch, {31}, times=1)
    config = config_of(text_file, "training.on_divergence=rollback")
    run = new_run(config, str(tmp_path / "run"))
    log_disk = Faulty(monkeypatch)
    metrics = Metrics(run.directory.metrics, 0, 1)

    def fault(event: object) -> None:
        if isinstance(event, Stepped):
            log_disk.bad = 15 <= event.step < 35

    train(run, [metrics, fault])
    metrics.close()
    assert metrics.unwritten == 0
    steps = [line["step"] for line in log_of(tmp_path / "run") if line["event"] == "step"]
    assert steps == list(range(1, 61))


def test_a_run_that_begins_again_logs_its_baselines_once(charrnn, tmp_path, text_file) -> None:
    assert charrnn("train", text_file, *TINY, "--max-steps", 0, "--out", "run").code == 0
    assert charrnn("train", "--resume", "run", "--max-steps", 3).code == 0
    lines = map(json.loads, (tmp_path / "run/metrics.jsonl").read_text().splitlines())
    assert [line["event"] for line in lines].count("baselines") == 1


@pytest.mark.parametrize("name", ["step-000001", "step-٣", "step-1.5", "step-"])
def test_a_checkpoint_of_another_name_is_not_of_the_run(tmp_path, text_file, name) -> None:
    train(new_run(config_of(text_file, "checkpoints.keep=1"), str(tmp_path / "run")), [])
    own = tmp_path / f"run/checkpoints/{name}.safetensors"
    own.write_text("mine")
    train(resumed_run(str(tmp_path / "run"), [], {"max_steps": 80}), [])
    assert own.read_text() == "mine"


def test_a_folder_of_the_name_of_a_checkpoint_is_left_alone(tmp_path, text_file) -> None:
    train(new_run(config_of(text_file, "checkpoints.keep=1"), str(tmp_path / "run")), [])
    (tmp_path / "run/checkpoints/step-1.safetensors").mkdir()
    (tmp_path / "run/checkpoints/step-2.safetensors").symlink_to(text_file)
    assert train(resumed_run(str(tmp_path / "run"), [], {"max_steps": 80}), []).steps == 80
    assert (tmp_path / "run/checkpoints/step-2.safetensors").is_symlink()
