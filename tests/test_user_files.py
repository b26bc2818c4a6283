"""Files of the user, beside a run or behind its links, are never changed."""

import errno
import json
import os
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from charrnn.config.layers import load_config
from charrnn.errors import UsageError
from charrnn.events import Stepped
from charrnn.report import metrics
from charrnn.report.metrics import Metrics
from charrnn.runs.directory import RunDirectory
from charrnn.runs.divergence import write_diagnostics
from charrnn.runs.resume import resumed_run
from charrnn.runs.start import new_run
from charrnn.system.files import require_writable, write_atomically
from charrnn.training.trainer import Divergence
from tests.conftest import TINY, TINY_SETTINGS
from tests.runs import train

WORDS = "precious words\n"
LAST = "checkpoints/last.safetensors"


def config_of(text_file: Path, *assignments: str):
    settings = [*TINY_SETTINGS, "training.max_steps=30", *assignments]
    return load_config(None, settings, {"data": {"text": str(text_file)}})


def filled(folder: Path, *names: str) -> dict[str, str]:
    """Writes files into a folder, each with its own words."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(WORDS + name)
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "names",
    [
        (".lock", ".novel.txt.tmp", "thesis.txt"),
        (".novel.txt.tmp",),
        (".lock",),
        (".charrnn-notes.tmp",),
        ("checkpoints/mine.txt",),
        ("metrics.jsonl",),
    ],
)
def test_a_folder_with_files_is_refused_as_it_is(charrnn, tmp_path, text_file, names) -> None:
    before = filled(tmp_path / "d", *names)
    outcome = charrnn("train", text_file, *TINY, "--max-steps", 2, "--out", tmp_path / "d")
    assert outcome.code == 2
    assert f"is not empty: it has '{sorted(names)[0]}'" in outcome.err
    assert contents(tmp_path / "d") == before


def test_a_resumed_run_removes_only_its_own_temporary_files(tmp_path, text_file) -> None:
    run = tmp_path / "run"
    train(new_run(config_of(text_file), str(run)), [])
    filled(run, ".novel.txt.tmp", "checkpoints/.draft.tmp", "checkpoints/.charrnn-draft.tmp")
    names = set(contents(run))
    (run / "checkpoints/.charrnn-0123456789abcdef.tmp").write_text("half a checkpoint")
    train(resumed_run(str(run), [], {"max_steps": 40}), [])
    assert set(contents(run)) - {"checkpoints/step-40.safetensors"} <= names
    assert contents(run)[".novel.txt.tmp"] == WORDS + ".novel.txt.tmp"


def test_a_lock_that_is_not_one_is_left_alone(tmp_path, text_file) -> None:
    run = tmp_path / "run"
    train(new_run(config_of(text_file), str(run)), [])
    (run / ".lock").write_text(WORDS)
    with pytest.raises(UsageError, match=r"its \.lock is not a lock of this program"):
        resumed_run(str(run), [], {"max_steps": 90})
    assert (run / ".lock").read_text() == WORDS


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
@pytest.mark.parametrize("name", [".lock", "metrics.jsonl", "config.yaml", LAST])
def test_nothing_is_written_through_a_link(charrnn, tmp_path, text_file, name, kind) -> None:
    run, victim = tmp_path / "run", tmp_path / "victim"
    train(new_run(config_of(text_file), str(run)), [])
    victim.write_bytes((run / LAST).read_bytes() if name == LAST else WORDS.encode())
    before = victim.read_bytes()
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(victim) if kind == "symbolic" else (run / name).hardlink_to(victim)
    charrnn("train", "--resume", run, "--max-steps", 40)
    assert victim.read_bytes() == before
    assert name == ".lock" or not (run / name).samefile(victim)


def test_checkpoints_behind_a_link_are_refused(tmp_path, text_file) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    train(new_run(config_of(text_file), str(run)), [])
    (run / "checkpoints").rename(elsewhere)
    (run / "checkpoints").symlink_to(elsewhere)
    before = contents(elsewhere).keys()
    with pytest.raises(UsageError, match="its checkpoints are a link to another place"):
        resumed_run(str(run), [], {"max_steps": 90})
    assert contents(elsewhere).keys() == before
    (tmp_path / "new").mkdir()
    (tmp_path / "new/checkpoints").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="is not empty"):
        RunDirectory.create(str(tmp_path / "new"), "name")


def test_diagnostics_follow_no_link(tmp_path, text_file) -> None:
    run = new_run(config_of(text_file), str(tmp_path / "run"))
    before = filled(tmp_path / "mine", "report.json")
    (tmp_path / "run/divergence-1").symlink_to(tmp_path / "mine")
    said = write_diagnostics(run, Divergence("the loss is nan", 1, None, {}))
    run.directory.release()
    assert "could not be written" in said
    assert "it is a link" in said
    assert contents(tmp_path / "mine") == before


def test_a_written_file_replaces_a_link(tmp_path) -> None:
    filled(tmp_path, "victim")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    write_atomically(tmp_path / "file", b"new")
    assert contents(tmp_path) == {"file": "new", "victim": WORDS + "victim"}


def test_a_name_that_is_too_long_is_noticed_before_work(tmp_path) -> None:
    with pytest.raises(OSError, match="name too long"):
        require_writable(tmp_path / ("x" * 300 + ".png"))
    write_atomically(tmp_path / ("x" * 251 + ".png"), b"fits")


def stepped(step: int) -> Stepped:
    return Stepped(step, 1.0, 0.5, 2.0, 1.0, {}, False, 0.0, 0.1, 0, 10, 5.0, 1.0)


def test_half_a_line_is_never_continued(tmp_path) -> None:
    """A write that stops in the middle, and a file system that then refuses to truncate."""
    log = Metrics(tmp_path / "log", last_step=0, every_steps=1)
    whole = log._file

    class Failing:
        def __init__(self) -> None:
            self.writes = self.refusals = 0

        def write(self, line: bytes) -> int:
            self.writes += 1
            return whole.write(line[:9] if self.writes == 2 else line)

        def truncate(self, size: int) -> int:
            self.refusals += 1
            if self.refusals <= 2:
                raise OSError(errno.EIO, "no")
            return whole.truncate(size)

        def __getattr__(self, name: str) -> object:
            return getattr(whole, name)

    log._file = Failing()
    for step in (1, 2, 3, 4):
        log(stepped(step))
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]


def test_a_log_is_read_in_bounded_pieces(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(metrics, "MAX_LINE_BYTES", 1000)
    path, first = tmp_path / "log", '{"step": 1}\n'
    last = '{"step": 3}\n'
    path.write_text(first + '{"step": 2, "text": "' + "x" * 50_000_000 + '"}\n' + last)
    tracemalloc.start()
    Metrics(path, last_step=2, every_steps=1).close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert path.read_text() == first
    path.write_text(first + "x" * 999 + '{"step": 2}\n')  # the second piece is no line
    Metrics(path, last_step=2, every_steps=1).close()
    assert path.read_text() == first


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_without_directory_sync_is_noted(
    tmp_path, text_file, monkeypatch, number
) -> None:
    sync = os.fsync

    def without_directories(file: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{file}"):
            raise OSError(number, os.strerror(number))
        sync(file)

    monkeypatch.setattr(os, "fsync", without_directories)
    run = new_run(config_of(text_file), str(tmp_path / "run"))
    assert "cannot sync directories" in " ".join(run.notes)
    assert train(run, []).steps == 30


def test_a_failing_sync_is_an_error(tmp_path, monkeypatch) -> None:
    def fail(file: int) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken disk"):
        write_atomically(tmp_path / "file", b"")
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_locks_is_noted(tmp_path, text_file, monkeypatch) -> None:
    def without(file: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", without)
    run = new_run(config_of(text_file), str(tmp_path / "run"))
    run.directory.release()
    assert "has no locks" in " ".join(run.notes)


@pytest.mark.parametrize("parent", ["gone", "folder", "other"])
def test_a_resumed_run_needs_no_parent(tmp_path, text_file, trained, parent) -> None:
    """The parent was deleted, became a folder, or cannot be opened."""
    copy = tmp_path / "parent.safetensors"
    copy.write_bytes((trained / "checkpoints/best.safetensors").read_bytes())
    config = config_of(text_file, f"model.init_from={copy}")
    train(new_run(config, str(tmp_path / "run")), [])
    copy.unlink()
    if parent == "folder":
        copy.mkdir()
    elif parent == "other":
        os.mkfifo(copy)
    ended = train(resumed_run(str(tmp_path / "run"), [], {"max_steps": 40}), [])
    assert ended.steps == 40
    assert np.isfinite(ended.validation_nats_per_character)


def test_an_empty_lock_is_not_of_this_program(tmp_path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/.lock").touch()
    with pytest.raises(UsageError, match=r"is not empty: it has '\.lock'"):
        RunDirectory.create(str(tmp_path / "d"), "name")
    assert (tmp_path / "d/.lock").read_bytes() == b""


def test_a_copy_of_a_run_by_hard_links_has_a_lock_of_its_own(tmp_path, text_file) -> None:
    run, copy = tmp_path / "run", tmp_path / "copy"
    train(new_run(config_of(text_file), str(run)), [])
    (run / ".lock").write_text("process 1 on a.machine\n")
    shutil.copytree(run, copy, copy_function=os.link)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    train(resumed_run(str(copy), [], {"max_steps": 40}), [])
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
